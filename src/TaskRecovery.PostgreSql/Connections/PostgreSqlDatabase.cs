using System.Collections.Concurrent;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>The database as the store uses it: connections, schema name, statements, and the translation of errors.</summary>
internal sealed partial class PostgreSqlDatabase : IDisposable, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, string> _statements = new(ReferenceEqualityComparer.Instance);
    private readonly NpgsqlConnectionStringBuilder? _pooled;
    private readonly string? _settings;
    private readonly NpgsqlDataSource? _homes;
    private readonly HomeConnection? _home;
    private readonly NpgsqlDataSource? _monitor;
    private readonly string? _prelude;
    private readonly string _preludeInMemory;
    private readonly bool _hasSeveralHosts;
    private NpgsqlDataSource? _sessions;
    private string? _untouched;
    private volatile bool _isClosed;

    /// <param name="source">Where connections are opened.</param>
    /// <param name="options">The options of the store.</param>
    /// <param name="lease">The lease of a node.</param>
    /// <param name="queues">How many queues this process works.</param>
    internal PostgreSqlDatabase(PostgreSqlConnectionSource source, PostgreSqlOptions options, TimeSpan lease, int queues = 1)
    {
        _places = new SemaphoreSlim(ConnectionRules.Places(queues));
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
            (_pooled, _settings) = (pooled, settings);
            BuildSessions(pooled);
            _homes = Build(ConnectionRules.ForHome(pooled), settings);
            _home = new HomeConnection(token => OpenPatientlyAsync(_homes.OpenConnectionAsync, token), TimeProvider.System);
            _monitor = options.MonitorConnectionString is null ? Build(ConnectionRules.ForMonitor(pooled), settings) : null;
        }

        if (options.MonitorConnectionString is { } monitor)
        {
            _monitor = Build(ConnectionRules.ForMonitor(monitor, Application ?? "taskrecovery monitor", CommandTimeout), settings: null);
            MonitorMayLag = true;
        }

        var hasSettings = Application is not null && options.UseSessionLocks;
        _prelude = hasSettings ? null : SessionSettings.PreludeFor(lease);
        _preludeInMemory = hasSettings ? SessionSettings.PreludeInMemory : SessionSettings.PreludeInMemoryFor(lease);
        MonitorPrelude = hasSettings && !MonitorMayLag ? SessionSettings.PinInTransaction : SessionSettings.PinInTransactionFor(lease);
        DatabaseName = NameOf(DataSource);
    }

    /// <summary>The options that the store was created with.</summary>
    internal PostgreSqlOptions Options { get; }

    /// <summary>Whether the read model has a connection string of its own, which may lead to a standby.</summary>
    internal bool MonitorMayLag { get; }

    /// <summary>The schema's name, quoted for use in a statement.</summary>
    internal string Schema { get; }

    /// <summary>The schema's name as the user spelled it.</summary>
    internal string SchemaName => Options.Schema;

    /// <summary>The notification channel of this schema's hints.</summary>
    internal string Channel => ChannelOf(SchemaName);

    /// <summary>The application name of every session of this process; <see langword="null"/> if the sessions are the
    /// application's.</summary>
    internal string? Application { get; }

    internal NpgsqlDataSource DataSource { get; }

    /// <summary>Sets what the statements of a transaction need; <see langword="null"/> if the sessions have these settings.</summary>
    internal string? Prelude => _prelude;

    /// <summary>Sets what a question of the read model needs before anything else. If the process stops in the middle of one, its snapshot
    /// must not last: no dead row that it may still see can be removed.</summary>
    internal string MonitorPrelude { get; }

    /// <summary>Whether a connection keeps the same server session for as long as it is open.</summary>
    internal bool KeepsSessions => Options.UseSessionLocks;

    /// <summary>The name of the database; <see langword="null"/> if the connection string leaves it to the server.</summary>
    internal string? DatabaseName { get; }

    /// <summary>Whether the store was closed: no further call can succeed.</summary>
    internal bool IsClosed => _isClosed;

    /// <summary>The nodes as which this process could not register.</summary>
    internal FailedRegistrations FailedRegistrations { get; } = new();

    /// <summary>The time limit of one statement, in seconds; settable for tests.</summary>
    internal int CommandTimeout { get; set; }

    internal static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>The statement with the schema filled in; computed once for each statement.</summary>
    /// <remarks><c>{schema}</c> is the quoted name, <c>{schema:literal}</c> the same name inside a string literal.</remarks>
    internal string Sql(string statement)
        => _statements.GetOrAdd(
            statement,
            static (text, schema) => text
                .Replace("{schema}", schema, StringComparison.Ordinal)
                .Replace("{schema:literal}", schema.Replace("'", "''", StringComparison.Ordinal), StringComparison.Ordinal),
            Schema);

    /// <summary>Runs work on a connection of the pool, and translates the driver's errors to those of the engine.</summary>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <param name="isApart">Whether the work will probably wait for a lock, so that it uses a connection that nothing else waits
    /// for.</param>
    internal async ValueTask<T> UseAsync<T>(
        Func<NpgsqlConnection, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken, bool isApart = false)
    {
        for (var isReplaced = false; ; isReplaced = true)
        {
            try
            {
                var borrowed = await BorrowAsync(isApart, cancellationToken).ConfigureAwait(false);
                await using var _ = borrowed.ConfigureAwait(false);
                var connection = borrowed.Connection;
                using var commits = new CommitWatch(connection);
                var result = await work(connection, cancellationToken).ConfigureAwait(false);
                commits.ThrowIfUnconfirmed();
                return result;
            }
            catch (PostgresException exception) when (!isReplaced && PostgreSqlErrors.EndedWhileIdle(exception))
            {
                // The server ended the session while it was idle, and has read nothing of this statement: retry.
            }
            catch (Exception exception) when (PostgreSqlErrors.Translate(exception, SchemaName) is not null)
            {
                ReplaceIfReadOnly(exception);
                throw PostgreSqlErrors.Translate(exception, SchemaName)!;
            }
            catch (Exception exception) when (IsErrorOfClosing(exception))
            {
                throw ClosedError(exception);
            }
        }
    }

    /// <summary>Whether an error is the driver's about a connection, or a source of connections, that was disposed with the
    /// store.</summary>
    internal bool IsErrorOfClosing(Exception exception)
        => _isClosed
            && exception is not (TaskRecoveryException or PostgresException or OperationCanceledException or ArgumentException);

    // What was sent may be committed.
    private static StoreUnavailableException ClosedError(Exception exception)
        => new("The store was closed during this call, or before it. What the call was to store may be stored.", exception);

    /// <summary>Commits the open transaction within the time limit of a statement. The driver's own commit is limited by its data source,
    /// which may be the application's.</summary>
    internal const string Commit = "commit";

    /// <summary>Runs work in a transaction that is committed when the work returns. The store's settings apply in it.</summary>
    internal ValueTask<T> InTransactionAsync<T>(
        Func<NpgsqlConnection, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken, bool isApart = false)
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
                await (Application is null ? ExecuteAsync(connection, Commit, [], token).AsTask() : transaction.CommitAsync(token))
                    .ConfigureAwait(false);
                return result;
            },
            cancellationToken,
            isApart);

    /// <summary>Runs one statement as a transaction of its own and reads its rows.</summary>
    internal ValueTask<T> ReadAsync<T>(
        string statement, NpgsqlParameter[] args,
        Func<NpgsqlDataReader, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken, bool isApart = false)
        => UseAsync((connection, token) => ReadAsync(connection, statement, args, read, token, _prelude), cancellationToken, isApart);

    /// <summary>Runs one statement as a transaction of its own.</summary>
    /// <returns>The number of rows that the statement wrote.</returns>
    internal ValueTask<int> ExecuteAsync(string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => ExecuteAsync(statement, args, _prelude, cancellationToken);

    /// <summary>Runs one statement as a transaction of its own, without waiting for the disk: its effect may be lost.</summary>
    internal ValueTask<int> ExecuteInMemoryAsync(string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => ExecuteAsync(statement, args, _preludeInMemory, cancellationToken);

    private ValueTask<int> ExecuteAsync(string statement, NpgsqlParameter[] args, string? prelude, CancellationToken cancellationToken)
        => UseAsync(
            (connection, token) => ReadAsync(
                connection, statement, args, static (reader, _) => ValueTask.FromResult(reader.RecordsAffected), token, prelude),
            cancellationToken);

    /// <summary>Runs one statement that may be lost, without waiting for the disk.</summary>
    internal ValueTask<int> SendAsync(string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => SendAsync(statement, args, static (_, _) => ValueTask.FromResult(0), cancellationToken);

    /// <summary>Runs one statement whose effect may be lost, without waiting for the disk, and reads its rows.</summary>
    internal ValueTask<T> SendAsync<T>(
        string statement, NpgsqlParameter[] args,
        Func<NpgsqlDataReader, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken)
        => UseAsync(
            (connection, token) => ReadAsync(connection, statement, args, read, token, SessionSettings.PreludeInMemory), cancellationToken);

    /// <summary>Runs one statement on a connection, inside the transaction that is open there, if any.</summary>
    internal async ValueTask<int> ExecuteAsync(
        NpgsqlConnection connection, string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => await ReadAsync(
            connection, statement, args,
            static (reader, _) => ValueTask.FromResult(reader.RecordsAffected), cancellationToken).ConfigureAwait(false);

    /// <summary>Runs one statement on a connection, inside the transaction that is open there, if any, and reads its rows.</summary>
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
        await PrepareAsync(batch, hasPrelude: prelude is not null, cancellationToken).ConfigureAwait(false);
        var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        if (prelude is not null)
        {
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        }

        var result = await read(reader, cancellationToken).ConfigureAwait(false);

        // The last row arrives before the commit: an error of the commit is raised here.
        while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
        {
        }

        return result;
    }

    // Costs nothing if the statements are already prepared on this connection.
    private async ValueTask PrepareAsync(NpgsqlBatch batch, bool hasPrelude, CancellationToken cancellationToken)
    {
        if (!Options.UseSessionLocks)
        {
            return;
        }

        try
        {
            await batch.PrepareAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (hasPrelude && exception.SqlState.StartsWith("42", StringComparison.Ordinal))
        {
            // On a data source of the application, preparing parses a statement under the session's own search path. If what is on that
            // path makes the statement invalid (class 42: ambiguous, or of another type), the statement is parsed when it runs, after the
            // prelude has pinned the path; an error of its own is raised then. (The server analyzes a prepared statement again if the path
            // differs, so the prelude's path decides in any case.)
        }
    }

    // PostgreSQL cuts names at 63 bytes, so two long names could become the same channel.
    private static string ChannelOf(string schema)
    {
        var channel = "taskrecovery." + schema;
        return System.Text.Encoding.UTF8.GetByteCount(channel) <= 63
            ? channel
            : "taskrecovery." + Convert.ToHexStringLower(
                System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(schema)).AsSpan(0, 16));
    }
}
