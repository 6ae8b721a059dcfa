using System.Collections.Concurrent;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>The database as the store sees it: connections, the schema's name, statements and what their errors mean.</summary>
internal sealed partial class PostgreSqlDatabase : IDisposable, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, string> _statements = new(ReferenceEqualityComparer.Instance);
    private readonly NpgsqlDataSource? _sessions;
    private readonly string? _prelude;
    private readonly string? _untouched;
    private readonly bool _hasSeveralHosts;

    internal PostgreSqlDatabase(PostgreSqlConnectionSource source, PostgreSqlOptions options, TimeSpan lease)
    {
        Options = options;
        Schema = Quote(options.Schema);
        CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds);
        if (source.DataSource is { } theirs)
        {
            var given = new NpgsqlConnectionStringBuilder(theirs.ConnectionString);
            ConnectionRules.Check(given, isOwn: false);
            DataSource = theirs;
            _hasSeveralHosts = ConnectionRules.HasSeveralHosts(given);
        }
        else
        {
            Application = $"taskrecovery {Guid.NewGuid():N}";
            var pooled = ConnectionRules.Complete(source.ConnectionString!, Application, CommandTimeout);
            var settings = options.UseSessionLocks ? SessionSettings.ForOwnSession(lease, pooled.Options) : null;
            DataSource = Build(pooled, settings);
            var kept = ConnectionRules.ForSessions(pooled);
            _untouched = kept.ConnectionString;
            _sessions = Build(kept, settings);
        }

        _prelude = Application is not null && options.UseSessionLocks ? null : SessionSettings.PreludeFor(lease);
        DatabaseName = NameOf(DataSource);
    }

    /// <summary>The options the store was made with.</summary>
    internal PostgreSqlOptions Options { get; }

    /// <summary>The schema's name as it stands in a statement.</summary>
    internal string Schema { get; }

    /// <summary>The schema's name as the user spelled it.</summary>
    internal string SchemaName => Options.Schema;

    /// <summary>The channel of this schema's hints.</summary>
    internal string Channel => ChannelOf(SchemaName);

    /// <summary>What every session of this process calls itself; <see langword="null"/> where the sessions are the application's.</summary>
    internal string? Application { get; }

    internal NpgsqlDataSource DataSource { get; }

    /// <summary>Whether a session is this process's as long as its connection is open.</summary>
    internal bool KeepsSessions => Options.UseSessionLocks;

    /// <summary>Whether what the statements need is set in the sessions; where it is not, it goes with each transaction.</summary>
    internal bool SessionsAreSet => _prelude is null;

    /// <summary>The database's name; <see langword="null"/> where the connection string leaves it to the server.</summary>
    internal string? DatabaseName { get; }

    /// <summary>In seconds, as the driver takes it.</summary>
    internal int CommandTimeout { get; }

    internal static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>The statement with the schema put in; done once for each.</summary>
    /// <remarks><c>{schema}</c> is the quoted name, <c>{schema:literal}</c> the same between single quotes.</remarks>
    internal string Sql(string statement)
        => _statements.GetOrAdd(
            statement,
            static (text, schema) => text
                .Replace("{schema}", schema, StringComparison.Ordinal)
                .Replace("{schema:literal}", schema.Replace("'", "''", StringComparison.Ordinal), StringComparison.Ordinal),
            Schema);

    /// <summary>Runs work on a connection of the pool; the driver's errors come out as the engine knows them.</summary>
    internal async ValueTask<T> UseAsync<T>(Func<NpgsqlConnection, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        for (var isReplaced = false; ; isReplaced = true)
        {
            try
            {
                var connection = await OpenAliveAsync(cancellationToken).ConfigureAwait(false);
                await using var _ = connection.ConfigureAwait(false);
                using var commits = new CommitWatch(connection);
                var result = await work(connection, cancellationToken).ConfigureAwait(false);
                commits.ThrowIfUnconfirmed();
                return result;
            }
            catch (PostgresException exception) when (!isReplaced && PostgreSqlErrors.EndedWhileIdle(exception))
            {
                // The server ended the session while nothing was going on, and read nothing of this.
            }
            catch (Exception exception) when (PostgreSqlErrors.Translate(exception, SchemaName) is not null)
            {
                throw PostgreSqlErrors.Translate(exception, SchemaName)!;
            }
        }
    }

    /// <summary>Runs work in a transaction that commits when it returns. Settings of the store hold in it.</summary>
    internal ValueTask<T> InTransactionAsync<T>(Func<NpgsqlConnection, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
        => UseAsync(
            async (connection, token) =>
            {
                var transaction = await connection.BeginTransactionAsync(token).ConfigureAwait(false);
                await using var _ = transaction.ConfigureAwait(false);
                if (_prelude is not null)
                {
                    await ExecuteAsync(connection, _prelude, [], token).ConfigureAwait(false);
                }

                var result = await work(connection, token).ConfigureAwait(false);
                await transaction.CommitAsync(token).ConfigureAwait(false);
                return result;
            },
            cancellationToken);

    /// <summary>Runs one statement as a transaction of its own and reads its rows.</summary>
    internal ValueTask<T> ReadAsync<T>(string statement, NpgsqlParameter[] args, Func<NpgsqlDataReader, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken)
        => UseAsync((connection, token) => ReadAsync(connection, statement, args, read, token, _prelude), cancellationToken);

    /// <summary>Runs one statement as a transaction of its own.</summary>
    /// <returns>How many rows it wrote.</returns>
    internal ValueTask<int> ExecuteAsync(string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => UseAsync(
            (connection, token) => ReadAsync(connection, statement, args, static (reader, _) => ValueTask.FromResult(reader.RecordsAffected), token, _prelude),
            cancellationToken);

    /// <summary>Runs one statement whose loss does not matter, without waiting for the disk.</summary>
    internal ValueTask<int> SendAsync(string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => UseAsync(
            (connection, token) => ReadAsync(connection, statement, args, static (reader, _) => ValueTask.FromResult(0), token, SessionSettings.PreludeInMemory),
            cancellationToken);

    /// <summary>Runs one statement on a connection, inside whatever transaction is open there.</summary>
    internal async ValueTask<int> ExecuteAsync(NpgsqlConnection connection, string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => await ReadAsync(connection, statement, args, static (reader, _) => ValueTask.FromResult(reader.RecordsAffected), cancellationToken).ConfigureAwait(false);

    /// <summary>Runs one statement on a connection, inside whatever transaction is open there, and reads its rows.</summary>
    internal async ValueTask<T> ReadAsync<T>(
        NpgsqlConnection connection,
        string statement,
        NpgsqlParameter[] args,
        Func<NpgsqlDataReader, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken,
        string? prelude = null)
    {
        var batch = new NpgsqlBatch(connection) { Timeout = CommandTimeout };
        await using var _ = batch.ConfigureAwait(false);
        if (prelude is not null)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(prelude));
        }

        var command = new NpgsqlBatchCommand(Sql(statement));
        using var lent = new LentArgs(command, args);

        batch.BatchCommands.Add(command);
        if (Options.UseSessionLocks)
        {
            // Free of cost once this connection has it.
            await batch.PrepareAsync(cancellationToken).ConfigureAwait(false);
        }

        var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        if (prelude is not null)
        {
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        }

        var result = await read(reader, cancellationToken).ConfigureAwait(false);

        // The last row comes before the commit, and what goes wrong with that comes here.
        while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
        {
        }

        return result;
    }

    // Names are cut at 63 bytes, so that two long ones could meet.
    private static string ChannelOf(string schema)
    {
        var channel = "taskrecovery." + schema;
        return System.Text.Encoding.UTF8.GetByteCount(channel) <= 63
            ? channel
            : "taskrecovery." + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(schema)).AsSpan(0, 16));
    }
}
