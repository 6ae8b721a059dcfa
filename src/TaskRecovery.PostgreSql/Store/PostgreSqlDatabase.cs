using System.Collections.Concurrent;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>The database as the store sees it: connections, the schema's name, statements and what their errors mean.</summary>
internal sealed partial class PostgreSqlDatabase : IDisposable, IAsyncDisposable
{
    // A claim has to walk its index whatever the statistics said when the statement was planned: they are taken while the tables
    // are empty, and stale plans ran four to fourteen times slower. Scans that are ruled out count as endlessly dear, which would
    // start the just-in-time compiler. Planning anew for each array's length costs more than a small statement itself, and no plan
    // here should depend on it. Work is stored when the server says so, whatever the server's default.
    private const string Settings = "synchronous_commit=on;enable_seqscan=off;jit=off;plan_cache_mode=force_generic_plan";
    private static readonly string Prelude = "select " + string.Join(", ", Settings.Split(';').Select(setting => setting.Split('='))
        .Select(setting => $"set_config('{setting[0]}', '{setting[1]}', true)"));

    // A statement that waited for a lock has to see what was committed meanwhile. Transactions that nobody begins take the session's
    // default, which a role or a database may have changed; the user's own options come before it, as this is not a matter of taste.
    private const string Isolation = @" -c default_transaction_isolation=read\ committed";
    internal const string PreludeInMemory = "select set_config('synchronous_commit', 'off', true)";

    private readonly ConcurrentDictionary<string, string> _statements = new(ReferenceEqualityComparer.Instance);
    private readonly bool _ownsDataSource;
    private readonly string? _prelude;
    private readonly string? _sessionConnectionString;

    internal PostgreSqlDatabase(PostgreSqlConnectionSource source, PostgreSqlOptions options, TimeSpan lease)
    {
        Options = options;
        Schema = Quote(options.Schema);
        CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds);
        _ownsDataSource = source.DataSource is null;
        _prelude = _ownsDataSource && options.UseSessionLocks ? null : Prelude;
        if (source.DataSource is not null)
        {
            DataSource = source.DataSource;
            DatabaseName = NameOf(DataSource);
            return;
        }

        Application = $"taskrecovery {Guid.NewGuid():N}";
        var connection = Complete(source.ConnectionString!, options, lease, Application);
        DataSource = new NpgsqlDataSourceBuilder(connection.ConnectionString).Build();
        DatabaseName = NameOf(DataSource);
        connection.Pooling = false;

        // A node has to know within its deadline that its session is over: no wait for a server that does not answer.
        connection.CancellationTimeout = -1;
        connection.Timeout = Math.Min(connection.Timeout, 3);
        _sessionConnectionString = connection.ConnectionString;
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

    /// <summary>Opens a connection of its own, outside the pool where the connection string is ours. For a node's session and the listener.</summary>
    internal NpgsqlConnection OpenSession()
    {
        if (_sessionConnectionString is null)
        {
            return DataSource.OpenConnection();
        }

        var connection = new NpgsqlConnection(_sessionConnectionString);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="OpenSession"/>
    internal async ValueTask<NpgsqlConnection> OpenSessionAsync(CancellationToken cancellationToken)
    {
        if (_sessionConnectionString is null)
        {
            return await DataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }

        var connection = new NpgsqlConnection(_sessionConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Runs work on a connection of the pool; the driver's errors come out as the engine knows them.</summary>
    internal async ValueTask<T> UseAsync<T>(Func<NpgsqlConnection, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await DataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            return await work(connection, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (PostgreSqlErrors.Translate(exception, SchemaName) is not null)
        {
            throw PostgreSqlErrors.Translate(exception, SchemaName)!;
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
            (connection, token) => ReadAsync(connection, statement, args, static (reader, _) => ValueTask.FromResult(0), token, PreludeInMemory),
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
        foreach (var arg in args)
        {
            command.Parameters.Add(arg);
        }

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

    public void Dispose()
    {
        if (_ownsDataSource)
        {
            DataSource.Dispose();
        }
    }

    public ValueTask DisposeAsync() => _ownsDataSource ? DataSource.DisposeAsync() : ValueTask.CompletedTask;

    // Names are cut at 63 bytes, so that two long ones could meet.
    private static string ChannelOf(string schema)
    {
        var channel = "taskrecovery." + schema;
        return System.Text.Encoding.UTF8.GetByteCount(channel) <= 63
            ? channel
            : "taskrecovery." + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(schema)).AsSpan(0, 16));
    }

    private static string? NameOf(NpgsqlDataSource source) => new NpgsqlConnectionStringBuilder(source.ConnectionString).Database;

    // What the user set stays; what was not set gets what a queue needs. A client that has stopped holds its rows locked and
    // unseen, so the server has to let go of it before its lease is over.
    private static NpgsqlConnectionStringBuilder Complete(string connectionString, PostgreSqlOptions options, TimeSpan lease, string application)
    {
        NpgsqlConnectionStringBuilder builder;
        try
        {
            builder = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (ArgumentException exception)
        {
            throw new StoreConfigurationException($"The connection string given to UsePostgreSql can't be read: {exception.Message}", exception);
        }

        var given = new NpgsqlConnectionStringBuilder(connectionString).Keys.Cast<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        builder.ApplicationName = application;
        if (!given.Contains("Maximum Pool Size"))
        {
            builder.MaxPoolSize = 20;
        }

        if (!given.Contains("Timeout"))
        {
            builder.Timeout = 5;
        }

        if (!given.Contains("TCP Keepalive"))
        {
            builder.TcpKeepAlive = true;
            builder.TcpKeepAliveTime = 5;
            builder.TcpKeepAliveInterval = 1;
        }

        if (!given.Contains("No Reset On Close"))
        {
            // The sessions are ours alone and nothing is left behind in them: resetting them would cost a statement each time.
            builder.NoResetOnClose = true;
        }

        builder.Enlist = false;
        if (options.UseSessionLocks)
        {
            var limit = (int)(lease.TotalMilliseconds * 2 / 3);
            var own = string.Join(' ', Settings.Split(';').Select(setting => "-c " + setting))
                + $" -c tcp_user_timeout={limit} -c idle_in_transaction_session_timeout={limit} -c tcp_keepalives_idle=3 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3";
            builder.Options = $"{own} {builder.Options}{Isolation}";
        }

        return builder;
    }
}
