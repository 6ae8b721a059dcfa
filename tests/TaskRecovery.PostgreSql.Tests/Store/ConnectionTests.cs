using System.Net;
using System.Net.Sockets;
using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;
using TaskRecovery.TestSupport;

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
        var store = new PostgreSqlQueueStore(
            Open(connectionString: new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "nowhere" }.ConnectionString),
            TimeProvider.System);

        var exception = await Assert.ThrowsAsync<StoreConfigurationException>(() => store.PrepareAsync(Cancellation));

        Assert.Contains("nowhere", exception.Message, StringComparison.Ordinal);
        Assert.False(store.Traits.IsServerRejectingAll(exception));
    }

    [Fact]
    public async Task A_server_on_which_nobody_listens_lets_nobody_in()
    {
        using var refused = new RefusingPort();
        var store = new PostgreSqlQueueStore(
            Open(connectionString: $"Host=127.0.0.1;Port={refused.Number};Username=u;Password=p"), TimeProvider.System);

        var exception = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.PrepareAsync(Cancellation));
        var ofNode = Assert.Throws<StoreUnavailableException>(store.OpenNodeSession);

        Assert.True(store.Traits.IsServerRejectingAll(exception));
        Assert.True(store.Traits.IsServerRejectingAll(ofNode));
    }

    [Fact]
    public async Task One_host_that_refuses_proves_nothing_about_another_that_does_not_answer()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(1);
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        using var refused = new RefusingPort();
        using var alsoRefused = new RefusingPort();

        var mixed = new PostgreSqlQueueStore(
            Open(connectionString: $"Host={refused.Address},127.0.0.1:{port};Timeout=1;Username=u;Password=p"), TimeProvider.System);
        var all = new PostgreSqlQueueStore(
            Open(connectionString: $"Host={refused.Address},{alsoRefused.Address};Username=u;Password=p"), TimeProvider.System);

        // More than once: a host that did not answer is not asked again for a while by a pool.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            Assert.False(mixed.Traits.IsServerRejectingAll(Assert.Throws<StoreUnavailableException>(mixed.OpenNodeSession)));
            Assert.True(all.Traits.IsServerRejectingAll(Assert.Throws<StoreUnavailableException>(all.OpenNodeSession)));
        }
    }

    [Theory]
    [InlineData("Host=db;Password=my;s3cret=1")]
    [InlineData("Host=db;Port=s3cret")]
    [InlineData("Host=db;s3cret")]
    [InlineData("Host=db;SSL Mode=s3cret")]
    public void A_connection_string_that_can_t_be_read_is_not_repeated(string connectionString)
    {
        var error = Assert.Throws<StoreConfigurationException>(() => ConnectionRules.Complete(connectionString, "test", 30));

        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_host_that_did_not_answer_a_moment_ago_is_asked_again_before_another_proves_anything()
    {
        // With a long list of waiting connections, each is made at once, and the driver waits for the answer to its first message.
        // With a short one, a connection can be made exactly when the driver's time is over, and then the driver waits without a limit.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var server = new NpgsqlConnectionStringBuilder(ConnectionString) { Timeout = 3, HostRecheckSeconds = 60 };
        var proxy = new TcpProxy(server.Host!, server.Port);
        server.Host = $"127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port},127.0.0.1:{proxy.Port}";
        var store = new PostgreSqlQueueStore(Open(connectionString: server.ConnectionString), TimeProvider.System);

        // A busy machine may take longer than the limit for the other host too.
        for (var attempt = 1; Record.Exception(() => store.OpenNodeSession().Dispose()) is { } failure; attempt++)
        {
            Assert.IsType<StoreUnavailableException>(failure);
            Assert.InRange(attempt, 1, 20);
        }

        await proxy.DisposeAsync();

        Assert.False(store.Traits.IsServerRejectingAll(Assert.Throws<StoreUnavailableException>(store.OpenNodeSession)));
    }

    [Fact]
    public async Task A_server_that_accepts_the_connection_and_says_nothing_does_not_stop_the_nodes_thread_for_good()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var source = NpgsqlDataSource.Create(
            $"Host=127.0.0.1;Port={((IPEndPoint)silent.LocalEndpoint).Port};Username=u;Password=p;Timeout=0");

        var late = Assert.Throws<NpgsqlException>(() => LimitedOpening.Open(source, TimeSpan.FromMilliseconds(100)));

        Assert.Equal("The server did not answer within 0.1 s.", Assert.IsType<TimeoutException>(late.InnerException).Message);
    }

    [Theory]
    [InlineData("", 5, 3)]
    [InlineData(";Timeout=2", 2, 2)]
    [InlineData(";Timeout=0", 0, 3)]
    public void The_nodes_session_is_opened_within_a_limit(string given, int pool, int session)
    {
        var pooled = ConnectionRules.Complete($"Host=db1,db2;Username=u;Password=p{given}", "test", 30);

        Assert.Equal((pool, session), (pooled.Timeout, ConnectionRules.ForSessions(pooled).Timeout));
        Assert.Equal(
            TimeSpan.FromSeconds((6 * session) + 2), LimitedOpening.LimitOf(ConnectionRules.ForSessions(pooled).ConnectionString));
    }

    [Theory]
    [InlineData("", "NoTypeLoading")]
    [InlineData(";Server Compatibility Mode=None", "None")]
    public void No_connection_reads_the_catalog_of_types_unless_the_user_says_so(string given, string mode)
    {
        var pooled = ConnectionRules.Complete($"Host=db;Username=u;Password=p{given}", "test", 30);

        Assert.All(
            new[] { pooled, ConnectionRules.ForSessions(pooled), ConnectionRules.ForHome(pooled), ConnectionRules.ForMonitor(pooled) },
            settings => Assert.Equal(mode, settings["Server Compatibility Mode"].ToString()));
    }

    [Fact]
    public async Task Several_hosts_of_the_applications_data_source_prove_nothing()
    {
        using var refused = new RefusingPort();
        using var alsoRefused = new RefusingPort();
        await using var shared = NpgsqlDataSource.Create($"Host={refused.Address},{alsoRefused.Address};Username=u;Password=p");
        var store = new PostgreSqlQueueStore(Keep(
            new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease)), TimeProvider.System);

        Assert.False(store.Traits.IsServerRejectingAll(Assert.Throws<StoreUnavailableException>(store.OpenNodeSession)));
    }

    [Fact]
    public void That_no_host_is_suitable_proves_nothing()
        => Assert.False(PostgreSqlErrors.IsServerRejectingAll(
            new StoreUnavailableException("No host.", new NpgsqlException("No suitable host was found."))));

    [Theory]
    [InlineData("", 1, "Primary")]
    [InlineData(";Host Recheck Seconds=7;Target Session Attributes=any", 7, "Any")]
    public void A_promoted_standby_is_found_at_once_unless_the_user_says_otherwise(string given, int recheck, string target)
    {
        using var database = Open(connectionString: $"Host=db1,db2;Username=u;Password=p{given}");
        var settings = new NpgsqlConnectionStringBuilder(database.DataSource.ConnectionString);

        Assert.Equal((recheck, -1), (settings.HostRecheckSeconds, settings.CancellationTimeout));
        Assert.Equal(target, settings.TargetSessionAttributes, ignoreCase: true);
    }

    [Fact]
    public async Task Multiplexing_is_refused()
    {
        await using var shared = NpgsqlDataSource.Create(ConnectionString + ";Multiplexing=true");

        var own = Assert.Throws<StoreConfigurationException>(() => Open(connectionString: ConnectionString + ";Multiplexing=true"));
        var foreign = Assert.Throws<StoreConfigurationException>(
            () => new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease));

        Assert.All(new[] { own, foreign }, exception => Assert.Contains("Multiplexing=true", exception.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_data_source_too_small_for_a_node_is_refused()
    {
        await using var shared = NpgsqlDataSource.Create(ConnectionString + ";Maximum Pool Size=2");

        var exception = Assert.Throws<StoreConfigurationException>(
            () => new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease));

        Assert.Contains("Maximum Pool Size=2", exception.Message, StringComparison.Ordinal);
        await OpenStoreAsync(Open(connectionString: ConnectionString + ";Maximum Pool Size=1"));
    }

    [Fact]
    public void The_drivers_switch_that_refuses_infinite_times_is_refused()
    {
        var exception = Assert.Throws<StoreConfigurationException>(
            () => ConnectionRules.Check(new NpgsqlConnectionStringBuilder(ConnectionString), isOwn: true, static _ => true));

        Assert.Contains("Npgsql.DisableDateTimeInfinityConversions", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_was_ended_proves_nothing_about_others()
    {
        var store = await OpenStoreAsync();
        using var node = store.OpenNodeSession();
        var identity = Identity();
        node.Register(identity);
        await ExecuteAsync("select pg_terminate_backend(backend, 60000) from taskrecovery.heartbeats");

        var exception = Assert.Throws<StoreUnavailableException>(() => node.SendHeartbeat(identity.Id, holdsLock: true));

        Assert.False(store.Traits.IsServerRejectingAll(exception));
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
    public async Task The_server_sends_its_warnings_whatever_the_default_or_the_options_are()
    {
        const string quiet = ";Options=-c client_min_messages=error";
        await ExecuteAsync("do $$ begin execute format('alter database %I set client_min_messages = error', current_database()); end $$");
        await using var shared = NpgsqlDataSource.Create(ConnectionString + quiet);
        using var theirs = new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease);

        foreach (var database in (PostgreSqlDatabase[])[Open(), Open(connectionString: ConnectionString + quiet), theirs])
        {
            Assert.Equal("warning", await ReadSettingAsync(database, "client_min_messages"));
        }

        Assert.Equal("error", await ScalarAsync<string>("show client_min_messages"));
    }

    [Fact]
    public async Task The_server_lets_go_of_a_stopped_client_before_its_lease_is_over_whoever_owns_the_data_source()
    {
        await using var shared = NpgsqlDataSource.Create(ConnectionString);
        using var theirs = new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease);

        foreach (var database in (PostgreSqlDatabase[])[Open(), theirs])
        {
            Assert.Equal("10s", await ReadSettingAsync(database, "idle_in_transaction_session_timeout"));
            Assert.Contains(await ReadSettingAsync(database, "tcp_user_timeout"), (string[])["10s", "10000"]);
        }

        Assert.Equal("0", await ScalarAsync<string>("show tcp_user_timeout"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_server_ends_a_heartbeat_without_its_commit_before_the_lease_is_over(bool isOwnConnection)
    {
        await using var shared = NpgsqlDataSource.Create(ConnectionString);
        var source = isOwnConnection
            ? new PostgreSqlConnectionSource(ConnectionString, null) : new PostgreSqlConnectionSource(null, shared);
        var database = Keep(new PostgreSqlDatabase(source, new PostgreSqlOptions { UseSessionLocks = false }, Lease)).WithPatience();
        var store = await OpenStoreAsync(database);
        using var node = store.OpenNodeSession();
        var identity = Identity();
        node.Register(identity);
        await ExecuteAsync("""
            create table public.seen (setting text);
            create function public.note() returns trigger language plpgsql as $$
                begin
                    insert into public.seen values (current_setting('idle_in_transaction_session_timeout'));
                    return null;
                end $$;
            create trigger note after update on taskrecovery.heartbeats for each statement execute function public.note()
            """);

        Assert.True(node.SendHeartbeat(identity.Id, holdsLock: false).Accepted);

        Assert.Equal("10s", await ScalarAsync<string>("select setting from public.seen"));
    }

    [Fact]
    public async Task A_commit_on_the_applications_data_source_has_the_librarys_time_limit_whatever_its_own_is()
    {
        await using var shared = NpgsqlDataSource.Create(ConnectionString + ";Command Timeout=300");
        var database = Keep(new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease));
        var store = await OpenStoreAsync(database);
        database.CommandTimeout = 1;
        using var node = store.OpenNodeSession();
        await ExecuteAsync("""
            create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(300); return null; end $$;
            create constraint trigger slow after insert on taskrecovery.nodes
                deferrable initially deferred for each row execute function public.slow();
            create constraint trigger slow after insert on taskrecovery.unique_keys
                deferrable initially deferred for each row execute function public.slow();
            """);

        var started = TimeProvider.System.GetTimestamp();
        Assert.Throws<StoreUnavailableException>(() => node.Register(Identity()));
        await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await store.EnqueueAsync([Entry(uniqueKey: "key")], null, Cancellation));

        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(150));
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
        Assert.True(node.SendHeartbeat(identity.Id, holdsLock: false).Accepted);
        Assert.Equal(0L, await CountLocksAsync());
    }

    [Fact]
    public async Task A_shared_pool_gets_its_session_back_without_the_lock()
    {
        await using var shared = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(ConnectionString) { MaxPoolSize = 3 }.ConnectionString);
        using var database =
            new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease).WithPatience();
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
        => ScalarAsync<long>("select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database "
            + "where datname = current_database())");

    private static async Task RunAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static ValueTask<string> ReadSettingAsync(PostgreSqlDatabase database, string name = "synchronous_commit")
        => database.ReadAsync(
            $"select current_setting('{name}')",
            [],
            async (reader, token) =>
            {
                await reader.ReadAsync(token);
                return reader.GetString(0);
            },
            Cancellation);
}
