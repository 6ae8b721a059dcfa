using Microsoft.Extensions.Options;
using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Tests of what only this store does, each class in a database of its own.</summary>
public abstract class PostgreSqlStoreTests : IAsyncLifetime
{
    private protected static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    private readonly List<IDisposable> _opened = [];
    private PostgresDatabase? _server;

    private protected string ConnectionString => _server!.ConnectionString;

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Whether the tables exist when the test starts.</summary>
    private protected virtual bool StartMigrated => true;

    /// <summary>Whether no other test may have used the database, because the planner sees the size of its tables.</summary>
    private protected virtual bool NeedsNew => false;

    public async ValueTask InitializeAsync()
        => _server = StartMigrated
            ? await MigratedDatabase.CreateAsync("store", isNew: NeedsNew)
            : await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("store");

    public async ValueTask DisposeAsync()
    {
        foreach (var opened in _opened)
        {
            opened.Dispose();
        }

        await _server!.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected PostgreSqlDatabase Open(Action<PostgreSqlOptions>? configure = null, string? connectionString = null)
    {
        var options = new PostgreSqlOptions();
        configure?.Invoke(options);
        return Keep(new PostgreSqlDatabase(new PostgreSqlConnectionSource(connectionString ?? ConnectionString, null), options, Lease))
            .WithPatience();
    }

    private protected async Task<PostgreSqlQueueStore> OpenStoreAsync(PostgreSqlDatabase? database = null, TimeProvider? time = null)
    {
        var store = new PostgreSqlQueueStore(database ?? Open(), time ?? TimeProvider.System).WithPatience();
        await store.PrepareAsync(Cancellation);
        return store;
    }

    private protected T Keep<T>(T opened)
        where T : IDisposable
    {
        _opened.Add(opened);
        return opened;
    }

    /// <summary>A session of the test's own.</summary>
    /// <param name="connectionString">That of the server; by default, the test's database.</param>
    private protected async Task<NpgsqlConnection> ConnectAsync(string? connectionString = null)
    {
        var connection = new NpgsqlConnection((connectionString ?? ConnectionString) + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private protected async Task ExecuteAsync(string statement, string? connectionString = null)
    {
        await using var connection = await ConnectAsync(connectionString);
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private protected async Task<T> ScalarAsync<T>(string statement)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private protected async Task UntilOneWaitsForALockAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while (await ScalarAsync<long>(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 0)
        {
            await Task.Delay(10, limit.Token);
        }
    }

    internal static NewEntry Entry(string queue = "default", string? uniqueKey = null, TimeSpan? after = null, string args = "{}") => new()
    {
        Kind = "test",
        Queue = queue,
        Priority = 5,
        Args = System.Text.Encoding.UTF8.GetBytes(args),
        MaxAttempts = 10,
        UniqueKey = uniqueKey,
        RunAfter = after,
    };

    internal static NodeIdentity Identity(string name = "node", bool isExplicit = false) => new()
    {
        Id = Guid.NewGuid(),
        Name = name,
        NameIsExplicit = isExplicit,
        Machine = "machine",
        ProcessId = Environment.ProcessId,
        ProcessStarted = LocalProcess.Started(Environment.ProcessId)!.Value,
    };
}
