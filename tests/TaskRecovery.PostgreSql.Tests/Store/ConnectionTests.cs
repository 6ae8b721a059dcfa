using System.Net;
using System.Net.Sockets;
using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>What is said when the database does not let us in, is not there, or goes away.</summary>
public sealed class ConnectionTests : PostgreSqlStoreTests
{
    [Fact]
    public void A_connection_string_that_cannot_be_read_is_the_users_to_correct()
    {
        var exception = Assert.Throws<StoreConfigurationException>(() => Open(connectionString: "Host=localhost;Colour=blue"));

        Assert.Contains("UsePostgreSql", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_does_not_exist_is_the_users_to_correct()
    {
        var store = new PostgreSqlQueueStore(Open(connectionString: new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "nowhere" }.ConnectionString), TimeProvider.System);

        var exception = await Assert.ThrowsAsync<StoreConfigurationException>(() => store.PrepareAsync(Cancellation));

        Assert.Contains("nowhere", exception.Message, StringComparison.Ordinal);
        Assert.False(store.Traits.ProvesNobodyGetsIn(exception));
    }

    [Fact]
    public async Task A_server_on_which_nobody_listens_lets_nobody_in()
    {
        var port = FreePort();
        var store = new PostgreSqlQueueStore(Open(connectionString: $"Host=127.0.0.1;Port={port};Username=u;Password=p"), TimeProvider.System);

        var exception = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.PrepareAsync(Cancellation));
        var ofNode = Assert.Throws<StoreUnavailableException>(store.OpenNodeSession);

        Assert.True(store.Traits.ProvesNobodyGetsIn(exception));
        Assert.True(store.Traits.ProvesNobodyGetsIn(ofNode));
    }

    [Fact]
    public async Task A_session_that_was_ended_proves_nothing_about_others()
    {
        var store = await OpenStoreAsync();
        using var node = store.OpenNodeSession();
        var identity = Identity();
        node.Register(identity);
        await ExecuteAsync("select pg_terminate_backend(backend) from taskrecovery.nodes");

        var exception = Assert.Throws<StoreUnavailableException>(() => node.Beat(identity.Id, holdsLock: true));

        Assert.False(store.Traits.ProvesNobodyGetsIn(exception));
    }

    [Fact]
    public async Task Work_is_stored_durably_whatever_the_servers_default()
    {
        await ExecuteAsync("do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$");
        var ours = Open();
        await using var shared = NpgsqlDataSource.Create(ConnectionString);
        using var theirs = new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease);

        Assert.Equal("on", await ReadSettingAsync(ours));
        Assert.Equal("on", await ReadSettingAsync(theirs));
        Assert.Equal("off", await ScalarAsync<string>("show synchronous_commit"));
    }

    [Fact]
    public async Task Without_session_locks_a_node_registers_and_beats_without_one()
    {
        var store = await OpenStoreAsync(Open(options => options.UseSessionLocks = false));
        using var node = store.OpenNodeSession();
        var identity = Identity();

        var registration = node.Register(identity);

        Assert.False(registration.HoldsLock);
        Assert.False(node.TryHold(identity.Id));
        Assert.True(node.Beat(identity.Id, holdsLock: false).Accepted);
        Assert.Equal(0L, await CountLocksAsync());
    }

    [Fact]
    public async Task A_shared_pool_gets_its_session_back_without_the_lock()
    {
        await using var shared = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(ConnectionString) { MaxPoolSize = 2 }.ConnectionString);
        using var database = new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease);
        var store = await OpenStoreAsync(database);
        var node = store.OpenNodeSession();
        Assert.True(node.Register(Identity()).HoldsLock);

        node.Dispose();

        Assert.Equal(0L, await CountLocksAsync());
    }

    [Fact]
    public async Task Sessions_of_a_dead_node_that_are_stuck_in_a_transaction_are_ended()
    {
        var (mine, its) = (await OpenStoreAsync(), await OpenStoreAsync());
        using var watcher = mine.OpenNodeSession();
        using var dead = its.OpenNodeSession();
        var identity = Identity();
        watcher.Register(Identity("watcher"));
        dead.Register(identity);
        await using var stuck = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString)
        {
            ApplicationName = await ScalarAsync<string>($"select application from taskrecovery.nodes where id = '{identity.Id}'"),
            Pooling = false,
        }.ConnectionString);
        await stuck.OpenAsync(Cancellation);
        await using var transaction = await stuck.BeginTransactionAsync(Cancellation);
        await RunAsync(stuck, "select pg_sleep(1.1)");

        Assert.True(watcher.MarkDead(identity.Id, 0));

        await Assert.ThrowsAsync<PostgresException>(() => RunAsync(stuck, "select 1"));
    }

    private Task<long> CountLocksAsync()
        => ScalarAsync<long>("select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())");

    private static async Task RunAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static ValueTask<string> ReadSettingAsync(PostgreSqlDatabase database) => database.ReadAsync(
        "select current_setting('synchronous_commit')",
        [],
        async (reader, token) =>
        {
            await reader.ReadAsync(token);
            return reader.GetString(0);
        },
        Cancellation);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
