using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>One statement of several that are sent together.</summary>
/// <param name="Text">With <c>{schema}</c> in it.</param>
/// <param name="Args">Its parameters.</param>
internal readonly record struct Statement(string Text, params NpgsqlParameter[] Args);

/// <content>Several statements in one round trip.</content>
internal sealed partial class PostgreSqlDatabase
{
    /// <summary>Runs statements as one transaction in one round trip, each with a snapshot of its own, and reads the rows of the last one.</summary>
    /// <remarks>This is how a statement sees what was committed while the one before it waited for a lock.</remarks>
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

                if (Options.UseSessionLocks)
                {
                    await batch.PrepareAsync(token).ConfigureAwait(false);
                }

                // Statements that return nothing have no result to skip, so every one but the last returns rows, if only none.
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
