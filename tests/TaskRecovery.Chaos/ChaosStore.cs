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

    public string JournalFolder => _folder.FullName;

    /// <summary>The name that tables have in a raw query.</summary>
    public string Prefix => Server is null ? "taskrecovery_" : "taskrecovery.";

    private string SqliteFile => Path.Combine(_folder.FullName, "tasks.db");

    public static async Task<ChaosStore> OpenAsync(ChaosOptions options)
    {
        var store = new ChaosStore
        {
            Server = options.IsPostgres
                ? await PostgresServer.StartAsync(new PostgresServerOptions { Controlled = true, Fsync = true, MaxConnections = 150 })
                : null,
        };
        return store;
    }

    /// <summary>The table that transactions of the workers write to.</summary>
    public Task CreateEffectsAsync() => ExecuteAsync("create table probe_effects (entry bigint not null, fence bigint not null)");

    /// <summary>Settings for a process, through a network of its own where there is one.</summary>
    public HostSettings CreateSettings(TcpProxy? network)
    {
        var journal = Path.Combine(_folder.FullName, $"{Interlocked.Increment(ref _journals)}.journal");
        return Server is null
            ? new HostSettings { SqliteFile = SqliteFile, JournalFile = journal }
            : new HostSettings { Postgres = ConnectionStringThrough(network), JournalFile = journal };
    }

    /// <summary>What every worker has written, in the order of time. A line's process is the worker's number: the operating system gives its own numbers again.</summary>
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
        DbConnection connection = Server is null
            ? new SqliteConnection($"Data Source={SqliteFile}")
            : new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Server.ConnectionString) { Pooling = false }.ConnectionString);
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

    /// <summary>Whether the journals stay, for a look at what went wrong.</summary>
    public bool KeepsJournals { get; set; }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }

        SqliteConnection.ClearAllPools();
        if (!KeepsJournals)
        {
            _folder.Delete(recursive: true);
        }
    }

    private string ConnectionStringThrough(TcpProxy? network)
        => network is null
            ? Server!.ConnectionString
            : new NpgsqlConnectionStringBuilder(Server!.ConnectionString) { Host = "127.0.0.1", Port = network.Port }.ConnectionString;
}
