using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TaskRecovery.PostgreSql.Tests.Store;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Server;

/// <summary>A primary and a real standby: what was confirmed survives a failover, and what was not is not called confirmed.</summary>
public sealed class ReplicaTests : IAsyncDisposable
{
    // The limit of a statement whose commit no standby confirms, in seconds.
    private const int ShortLimit = 3;

    private readonly List<PostgreSqlDatabase> _opened = [];
    private PostgresPair? _pair;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var opened in _opened)
        {
            opened.Dispose();
        }

        await (_pair?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    [Fact]
    public async Task What_the_synchronous_standby_does_not_have_is_not_confirmed()
    {
        var pair = _pair = await PostgresPair.StartAsync(synchronous: true);
        var own = Open(new PostgreSqlConnectionSource(pair.ConnectionString, null));

        // A commit without confirmation is known by a warning, which must arrive whatever the session asks for.
        await using var source = NpgsqlDataSource.Create(pair.PrimaryConnectionString + ";Options=-c client_min_messages=error");
        var foreign = Open(new PostgreSqlConnectionSource(null, source));
        await PrepareAsync(own);
        await PrepareAsync(foreign);
        var confirmed = await EnqueueUntilConfirmedAsync(own, "confirmed");
        await pair.StopStandbyAsync();
        _opened.ForEach(static database => database.CommandTimeout = ShortLimit);

        foreach (var store in (PostgreSqlQueueStore[])[own, foreign])
        {
            var key = store == own ? "own" : "foreign";

            await Assert.ThrowsAsync<StoreUnavailableException>(
                async () => await store.EnqueueAsync([PostgreSqlStoreTests.Entry()], null, Cancellation));
            await Assert.ThrowsAsync<StoreUnavailableException>(
                async () => await store.EnqueueAsync([PostgreSqlStoreTests.Entry(uniqueKey: key)], null, Cancellation));

            // The driver cancels the statement on its way out: the entry is there now, but still on one server alone.
            await Assert.ThrowsAsync<StoreUnavailableException>(
                async () => await store.EnqueueAsync([PostgreSqlStoreTests.Entry(uniqueKey: key)], null, Cancellation));
            Assert.Throws<StoreUnavailableException>(() =>
            {
                using var node = store.OpenNodeSession();
                node.Register(PostgreSqlStoreTests.Identity());
            });
        }

        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        var cancelled = await Record.ExceptionAsync(
            async () => await own.EnqueueAsync([PostgreSqlStoreTests.Entry()], null, impatient.Token));

        // Either the driver gives up first, or it reads the answer to its own cancel request: a success with a warning.
        Assert.True(cancelled is OperationCanceledException or StoreUnavailableException, $"{cancelled}");

        await pair.StartStandbyAsync();
        await pair.WaitForStandbyAsync("sync");
        Assert.True((await EnqueueUntilConfirmedAsync(own, "own")).IsDuplicate);
        Assert.NotNull(await UntilAvailableAsync(() => own.FindAsync(confirmed.Id, Cancellation)));
    }

    [Fact]
    public async Task After_a_failover_everything_confirmed_is_there_and_the_next_enqueue_succeeds()
    {
        var pair = _pair = await PostgresPair.StartAsync(synchronous: true);
        var store = Open(new PostgreSqlConnectionSource(pair.ConnectionString, null));
        await PrepareAsync(store);
        _opened.ForEach(static database => database.CommandTimeout = ShortLimit);
        var confirmed = new List<long>();
        while (confirmed.Count < 50)
        {
            confirmed.Add((await EnqueueUntilConfirmedAsync(store)).Id);
        }

        await pair.KillPrimaryAsync();
        while (await TryEnqueueAsync(store) is { } last)
        {
            confirmed.Add(last.Id);
        }

        await pair.PromoteStandbyAsync();

        var clock = Stopwatch.StartNew();
        await EnqueueUntilConfirmedAsync(store);

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"The first enqueue was confirmed {clock.Elapsed.TotalSeconds:0.00} s after the promotion.");
        foreach (var id in confirmed)
        {
            Assert.NotNull(await UntilAvailableAsync(() => store.FindAsync(id, Cancellation)));
        }
    }

    [Fact]
    public async Task The_monitor_reads_from_a_standby()
    {
        var pair = _pair = await PostgresPair.StartAsync(synchronous: false);
        await using var source = NpgsqlDataSource.Create(pair.PrimaryConnectionString);
        var database = new PostgreSqlDatabase(
            new PostgreSqlConnectionSource(null, source),
            new PostgreSqlOptions { MonitorConnectionString = pair.StandbyConnectionString }, TimeSpan.FromSeconds(15)).WithPatience();
        _opened.Add(database);
        var monitor = new PostgreSqlMonitorStore(database);
        var store = new PostgreSqlQueueStore(database, TimeProvider.System);
        await store.PrepareAsync(Cancellation);
        var entry = (await store.EnqueueAsync([PostgreSqlStoreTests.Entry()], null, Cancellation))[0];
        await pair.WaitForStandbyAsync();

        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await HasAsync(monitor, entry.Id))
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }

        Assert.Equal(1, Assert.Single((await monitor.GetSnapshotAsync(Cancellation)).Queues).Due.Value);
        await pair.StopStandbyAsync();
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await monitor.GetSnapshotAsync(Cancellation));
        await store.EnqueueAsync([PostgreSqlStoreTests.Entry()], null, Cancellation);
    }

    [Fact]
    public async Task A_standby_that_is_behind_neither_counts_for_a_preview_nor_makes_nodes_silent()
    {
        var pair = _pair = await PostgresPair.StartAsync(synchronous: false);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddTaskRecovery().UsePostgreSql(
            pair.PrimaryConnectionString, options => options.MonitorConnectionString = pair.StandbyConnectionString);
        await using var provider = services.BuildServiceProvider();
        var database = provider.GetRequiredService<PostgreSqlDatabase>().WithPatience();
        var (monitor, operate) = (provider.GetRequiredService<IQueueMonitor>(), provider.GetRequiredService<IQueueOperator>());
        await new PostgreSqlMigrator(database).MigrateAsync();
        var store = new PostgreSqlQueueStore(database, TimeProvider.System);
        await store.PrepareAsync(Cancellation);
        using var session = store.OpenNodeSession();
        session.Register(PostgreSqlStoreTests.Identity());
        var first = (await store.EnqueueAsync([PostgreSqlStoreTests.Entry()], null, Cancellation))[0];
        await using var standby = NpgsqlDataSource.Create(pair.StandbyConnectionString);
        var storeOnStandby = new PostgreSqlMonitorStore(database);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await HasAsync(storeOnStandby, first.Id))
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }

        await AskAsync<long>(standby, "select 1::int8 from pg_wal_replay_pause()");
        while (!await AskAsync<bool>(standby, "select pg_get_wal_replay_pause_state() = 'paused'"))
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }

        await store.EnqueueAsync([PostgreSqlStoreTests.Entry()], null, Cancellation);

        // Until the node would be silent by the clock, although its heartbeat was in time when the standby stopped.
        const string ageByClock = "select extract(epoch from clock_timestamp() - max(beat_at))::float8 from taskrecovery.heartbeats";
        while (await AskAsync<double>(standby, ageByClock) <= await AgeOfHeartbeatAsync(standby) + 4)
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }

        var preview = await operate.PreviewAsync(
            new BulkRequest { Action = BulkAction.Cancel, Query = new EntryQuery { States = [EntryState.Waiting] } },
            new AuditInfo("anna"), Cancellation);
        var behind = await monitor.ListAsync(new EntryQuery(), Cancellation);
        var current = await monitor.Current.ListAsync(new EntryQuery(), Cancellation);
        var node = Assert.Single(await monitor.ListNodesAsync(Cancellation));

        Assert.Equal((2, 2), (preview.Entries.Value, preview.Sample.Count));
        Assert.Equal((1, 2), (behind.Entries.Count, current.Entries.Count));
        Assert.Equal(await AgeOfHeartbeatAsync(standby), node.HeartbeatAge.TotalSeconds, 0.001);
    }

    // At the time up to which the standby has replayed.
    private static Task<double> AgeOfHeartbeatAsync(NpgsqlDataSource standby) => AskAsync<double>(
        standby, "select extract(epoch from pg_last_xact_replay_timestamp() - max(beat_at))::float8 from taskrecovery.heartbeats");

    private static async Task<T> AskAsync<T>(NpgsqlDataSource server, string question)
    {
        await using var command = server.CreateCommand(question);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    // Before the standby has received the tables, it has none.
    private static async Task<bool> HasAsync(PostgreSqlMonitorStore monitor, long entry)
    {
        try
        {
            return await monitor.GetLifeAsync(entry, null, Cancellation) is not null;
        }
        catch (StoreConfigurationException)
        {
            return false;
        }
    }

    private static Task<bool> PrepareAsync(PostgreSqlQueueStore store) => UntilAvailableAsync(async () =>
    {
        await store.PrepareAsync(Cancellation);
        return true;
    });

    // A busy machine may stop any call for longer than its limit.
    private static async Task<T> UntilAvailableAsync<T>(Func<ValueTask<T>> call)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            try
            {
                return await call();
            }
            catch (StoreUnavailableException)
            {
                await timer.WaitForNextTickAsync(Cancellation);
            }
        }
    }

    private static async Task<EnqueueResult> EnqueueUntilConfirmedAsync(PostgreSqlQueueStore store, string? uniqueKey = null)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            if (await TryEnqueueAsync(store, uniqueKey) is { } confirmed)
            {
                return confirmed;
            }

            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    private static async Task<EnqueueResult?> TryEnqueueAsync(PostgreSqlQueueStore store, string? uniqueKey = null)
    {
        try
        {
            return (await store.EnqueueAsync([PostgreSqlStoreTests.Entry(uniqueKey: uniqueKey)], null, Cancellation))[0];
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    private PostgreSqlQueueStore Open(PostgreSqlConnectionSource source)
    {
        // A node's session keeps its limit: what the standby does not have is not confirmed there either.
        var database = new PostgreSqlDatabase(source, new PostgreSqlOptions(), TimeSpan.FromSeconds(15)) { OpeningSeconds = 60 };
        _opened.Add(database);
        return new PostgreSqlQueueStore(database, TimeProvider.System);
    }
}
