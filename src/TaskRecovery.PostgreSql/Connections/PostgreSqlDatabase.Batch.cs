using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <content>Several statements in one round trip.</content>
internal sealed partial class PostgreSqlDatabase
{
    /// <summary>Runs several statements as one transaction in one round trip, each with a snapshot of its own, and reads the rows of the
    /// last one.</summary>
    /// <remarks>Because of its own snapshot, a statement sees what was committed while the statement before it waited for a lock.</remarks>
    internal ValueTask<T> ReadLastAsync<T>(
        IReadOnlyList<Statement> statements,
        Func<NpgsqlDataReader, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken)
        => UseAsync((connection, token) => ReadLastAsync(connection, statements, read, commits: false, token), cancellationToken);

    /// <summary>As above, on a connection: in the transaction that is open there, if any.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="statements">The statements.</param>
    /// <param name="read">Reads the rows of the last statement.</param>
    /// <param name="commits">Whether the same round trip commits the transaction.</param>
    /// <param name="cancellationToken">Cancels the statements.</param>
    internal async ValueTask<T> ReadLastAsync<T>(
        NpgsqlConnection connection,
        IReadOnlyList<Statement> statements,
        Func<NpgsqlDataReader, CancellationToken, ValueTask<T>> read,
        bool commits,
        CancellationToken cancellationToken)
    {
        var result = default(T)!;
        await ReadEachAsync(
            connection,
            statements,
            async (number, reader, token) =>
            {
                if (number == statements.Count - 1)
                {
                    result = await read(reader, token).ConfigureAwait(false);
                }
            },
            commits,
            cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>Runs one read as a transaction of its own. On a standby it fails, as a write does: a connection may have stayed with a
    /// server that is a standby by now and lacks what was stored since. For reads whose answer decides what runs, stays or is
    /// erased.</summary>
    /// <exception cref="StoreUnavailableException">The server is a standby, or not available.</exception>
    internal ValueTask<T> ReadOnPrimaryAsync<T>(
        string statement,
        NpgsqlParameter[] args,
        Func<NpgsqlDataReader, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken)
        => ReadLastAsync([new Statement(StandbySql.Refuse), new Statement(statement, args)], read, cancellationToken);

    /// <summary>Runs several statements as one transaction in one round trip, and reads the rows of each.</summary>
    /// <param name="statements">The statements. Each returns a result set, even if it is empty.</param>
    /// <param name="read">Reads the rows of the statement with this number, from 0.</param>
    /// <param name="cancellationToken">Cancels the statements.</param>
    internal ValueTask<bool> ReadEachAsync(
        IReadOnlyList<Statement> statements,
        Func<int, NpgsqlDataReader, CancellationToken, ValueTask> read,
        CancellationToken cancellationToken)
        => UseAsync(
            async (connection, token) =>
            {
                await ReadEachAsync(connection, statements, read, commits: false, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <summary>Runs several statements that may be lost as one transaction in one round trip: its commit does not wait for the
    /// disk.</summary>
    internal ValueTask<bool> SendAsync(IReadOnlyList<Statement> statements, CancellationToken cancellationToken)
        => UseAsync(
            async (connection, token) =>
            {
                await ReadEachAsync(
                    connection, statements, static (_, _, _) => ValueTask.CompletedTask, commits: false, token,
                    SessionSettings.PreludeInMemory).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <summary>As above, on a connection: in the transaction that is open there, if any.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="statements">The statements. Each returns a result set, even if it is empty.</param>
    /// <param name="read">Reads the rows of the statement with this number, from 0.</param>
    /// <param name="commits">Whether the same round trip commits the transaction.</param>
    /// <param name="cancellationToken">Cancels the statements.</param>
    /// <param name="prelude">The settings for the transaction; those of the store if it is omitted.</param>
    internal async ValueTask ReadEachAsync(
        NpgsqlConnection connection,
        IReadOnlyList<Statement> statements,
        Func<int, NpgsqlDataReader, CancellationToken, ValueTask> read,
        bool commits,
        CancellationToken cancellationToken,
        string? prelude = null)
    {
        prelude ??= _prelude;
        var batch = new NpgsqlBatch(connection) { Timeout = CommandTimeout };
        await using var _ = batch.ConfigureAwait(false);
        if (prelude is not null)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(prelude));
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

        if (commits)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(Commit));
        }

        await PrepareAsync(batch, hasPrelude: prelude is not null, cancellationToken).ConfigureAwait(false);
        var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        if (prelude is not null)
        {
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        }

        for (var number = 0; number < statements.Count; number++)
        {
            await read(number, reader, cancellationToken).ConfigureAwait(false);

            // After the last one, an error on commit comes here.
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
