using System.Data.Common;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>A server of its own, set up like a small production one.</summary>
internal sealed class PostgresBenchmarkStore(PostgresServer server) : IBenchmarkStore
{
    public string Name => "postgres";

    public string FloorName => "bare statements";

    public static async Task<IBenchmarkStore> StartAsync(int maxConnections = 600)
    {
        var server = await PostgresServer.StartAsync(new PostgresServerOptions
        {
            Controlled = true,
            Fsync = true,
            DriverPools = true,
            MaxConnections = maxConnections,
            Settings = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["synchronous_commit"] = "on",
                ["shared_buffers"] = "1GB",
                ["max_wal_size"] = "8GB",
                ["checkpoint_timeout"] = "15min",
                ["wal_buffers"] = "16MB",
                ["effective_cache_size"] = "4GB",
                ["maintenance_work_mem"] = "256MB",
                ["shared_preload_libraries"] = "pg_stat_statements",
                ["pg_stat_statements.track"] = "none",
            },
        });
        return new PostgresBenchmarkStore(server);
    }

    public async Task<string> DescribeAsync()
    {
        await using var connection = await PostgresBenchmarkDatabase.OpenAsync(server.ConnectionString);
        await using var command = new NpgsqlCommand("select current_setting('server_version')", connection);
        return "PostgreSQL " + ((string)(await command.ExecuteScalarAsync())!).Split(' ')[0]
            + ", shared_buffers 1 GB, max_wal_size 8 GB, else defaults";
    }

    public async Task<IBenchmarkDatabase> CreateAsync()
    {
        var database = new PostgresBenchmarkDatabase(server.ConnectionString, $"bench_{Guid.NewGuid():n}");
        await database.CreateAsync(null);
        return database;
    }

    public async Task<IBenchmarkDatabase> CopyAsync(IBenchmarkDatabase template)
    {
        var database = new PostgresBenchmarkDatabase(server.ConnectionString, $"bench_{Guid.NewGuid():n}");
        await database.CreateAsync(((PostgresBenchmarkDatabase)template).Name);
        return database;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();
}

/// <summary>Transactions of a caller of its own.</summary>
internal sealed class PostgresTransactions(string connectionString) : ITransactions
{
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(connectionString);

    public async Task RunAsync(Func<DbTransaction, Task> work)
    {
        await using var connection = await _source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await work(transaction);
        await transaction.CommitAsync();
    }
}
