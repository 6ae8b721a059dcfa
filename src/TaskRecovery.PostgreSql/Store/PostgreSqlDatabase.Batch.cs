using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <content>Several statements in one round trip.</content>
internal sealed partial class PostgreSqlDatabase
{
    /// <summary>Runs several statements as one transaction in one round trip, each with a snapshot of its own, and reads the rows of the
    /// last one.</summary>
    /// <remarks>Because of its own snapshot, a statement sees what was committed while the statement before it waited for a lock.</remarks>
    internal ValueTask<T> ReadLastAsync<T>(IReadOnlyList<Statement> statements, Func<NpgsqlDataReader, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken)
        => UseAsync(
            async (connection, token) =>
            {
                var batch = new NpgsqlBatch(connection) { Timeout = CommandTimeout };
                await using var _ = batch.ConfigureAwait(false);
                if (_prelude is not null)
                {
                    batch.BatchCommands.Add(new NpgsqlBatchCommand(_prelude));
                }

                foreach (var statement in statements)
                {
                    var command = new NpgsqlBatchCommand(Sql(statement.Text));
                    foreach (var arg in statement.Args)
                    {
                        command.Parameters.Add(arg.Clone());
                    }

                    batch.BatchCommands.Add(command);
                }

                await PrepareAsync(batch, hasPrelude: _prelude is not null, token).ConfigureAwait(false);

                // A statement without a result set would have nothing to skip, so each one but the last returns a result set, even if it is
                // empty.
                var reader = await batch.ExecuteReaderAsync(token).ConfigureAwait(false);
                await using var __ = reader.ConfigureAwait(false);
                for (var skipped = 1; skipped < batch.BatchCommands.Count; skipped++)
                {
                    await reader.NextResultAsync(token).ConfigureAwait(false);
                }

                var result = await read(reader, token).ConfigureAwait(false);
                await reader.NextResultAsync(token).ConfigureAwait(false); // an error on commit comes here
                return result;
            },
            cancellationToken);
}
