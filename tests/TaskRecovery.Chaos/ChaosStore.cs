using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Chaos;

/// <summary>The store under attack: a server of its own, or a file of its own.</summary>
internal sealed class ChaosStore : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("taskrecovery-chaos-");
    private int _journals;

    private ChaosStore()
    {
    }

    public PostgresServer? Server { get; private init; }

    public ReplicaSet? Replicas { get; private init; }

    public string JournalFolder => _folder.FullName;

    /// <summary>The name that tables have in a raw query.</summary>
    public string Prefix => IsSqlite ? "taskrecovery_" : "taskrecovery.";

    private bool IsSqlite => Server is null && Replicas is null;

    public string SqliteFile => Path.Combine(_folder.FullName, "tasks.db");

    public static async Task<ChaosStore> OpenAsync(ChaosOptions options)
    {
        var store = new ChaosStore
        {
            Replicas = options.Scenario == ChaosScenario.Failover ? await ReplicaSet.StartAsync() : null,
            Server = options is { IsPostgres: true, Scenario: not ChaosScenario.Failover }
                ? await PostgresServer.StartAsync(new PostgresServerOptions { Controlled = true, Fsync = true, MaxConnections = 150 })
                : null,
        };
        return store;
    }

    /// <summary>The tables that transactions of the workers and of another application write to.</summary>
    public Task CreateEffectsAsync() => ExecuteAsync(
        "create table probe_effects (entry bigint not null, fence bigint not null); create table probe_notes (text text not null)");

    /// <summary>Settings for this process, which only enqueues.</summary>
    public HostSettings CreateClientSettings()
        => Replicas is null ? CreateSettings(network: null) : Replicas.ConnectClient(CreateSettings(network: null));

    /// <summary>Settings for a process, through a network of its own where there is one.</summary>
    public HostSettings CreateSettings(TcpProxy? network)
    {
        var number = Interlocked.Increment(ref _journals);
        var journal = Path.Combine(_folder.FullName, $"{number}.journal");
        if (Replicas is not null)
        {
            return Replicas.Connect(new HostSettings { JournalFile = journal }, number);
        }

        return Server is null
            ? new HostSettings { SqliteFile = SqliteFile, JournalFile = journal }
            : new HostSettings { Postgres = ConnectionStringThrough(network), JournalFile = journal };
    }

    /// <summary>What every worker has written, in the order of time. A line's process is the worker's number: the operating system gives
    /// its own numbers again.</summary>
    public IReadOnlyList<JournalLine> ReadJournal()
        => [.. Directory.EnumerateFiles(_folder.FullName, "*.journal")
            .SelectMany(file => Journal.Read(file).Select(line => line with { ProcessId = Worker.NumberOf(file) }))
            .OrderBy(line => line.At)];

    public TcpProxy? CreateNetwork()
    {
        if (Server is null)
        {
            return null;
        }

        var server = new NpgsqlConnectionStringBuilder(Server.ConnectionString);
        return new TcpProxy(server.Host!, server.Port);
    }

    public async Task<DbConnection> ConnectAsync()
    {
        DbConnection connection = IsSqlite
            ? new SqliteConnection($"Data Source={SqliteFile}")
            : new NpgsqlConnection((Server?.ConnectionString ?? Replicas!.Pair.PrimaryConnectionString) + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    public async Task<IReadOnlyList<object?[]>> QueryAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<object?[]>();
        while (await reader.ReadAsync())
        {
            var row = new object?[reader.FieldCount];
            for (var column = 0; column < row.Length; column++)
            {
                row[column] = await reader.IsDBNullAsync(column) ? null : reader.GetValue(column);
            }

            rows.Add(row);
        }

        return rows;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>What is wrong with the store's own file; null if nothing, or if it has none.</summary>
    public Task<string?> CheckIntegrityAsync() => IsSqlite ? CheckIntegrityAsync(SqliteFile) : Task.FromResult<string?>(null);

    /// <summary>What SQLite finds wrong with a file; null if nothing.</summary>
    public static async Task<string?> CheckIntegrityAsync(string file)
    {
        await using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "pragma integrity_check";
        return await command.ExecuteScalarAsync() is var found
            && found is "ok" ? null : $"integrity_check of {Path.GetFileName(file)}: {found}";
    }

    /// <summary>Whether the journals stay, for a look at what went wrong.</summary>
    public bool KeepsJournals { get; set; }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }

        if (Replicas is not null)
        {
            await Replicas.DisposeAsync();
        }

        SqliteConnection.ClearAllPools();
        if (KeepsJournals)
        {
            return;
        }

        try
        {
            _folder.Delete(recursive: true);
        }
        catch (IOException exception)
        {
            // A run that ended early may still have workers that write; its own error matters more than their files.
            Console.Error.WriteLine($"could not remove {_folder.FullName}: {exception.Message}");
        }
    }

    private string ConnectionStringThrough(TcpProxy? network)
        => network is null
            ? Server!.ConnectionString
            : new NpgsqlConnectionStringBuilder(Server!.ConnectionString) { Host = "127.0.0.1", Port = network.Port }.ConnectionString;
}
