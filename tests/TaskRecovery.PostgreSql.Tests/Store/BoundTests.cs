using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Numbers and names that a role may write which only adds entries: none of them makes a question or an outcome fail.</summary>
public sealed class BoundTests : PostgreSqlStoreTests
{
    [Fact]
    public async Task Counts_that_no_sum_can_hold_break_no_snapshot()
    {
        var database = Open();
        await OpenStoreAsync(database);
        var monitor = new PostgreSqlMonitorStore(database);
        await ExecuteAsync("""
            alter table taskrecovery.stats drop constraint stats_sound_check;
            insert into taskrecovery.stats (hourly, began_at, queue, kind, enqueued, completed, run_ms, wait_ms)
            select h, now() - interval '5 minutes', q, 1, 9223372036854775807, -5, 9223372036854775807, 9223372036854775807
            from unnest(array[true, false]) h cross join generate_series(1, 3) q
            """);

        var snapshot = await monitor.GetSnapshotAsync(Cancellation);
        var rows = await monitor.ReadStatisticsAsync(
            new ThroughputQuery { From = DateTimeOffset.UtcNow.AddDays(-1), To = DateTimeOffset.UtcNow.AddDays(1) },
            byHour: true,
            Cancellation);

        Assert.Equal((900_000_000_000_000, 0), (snapshot.LastHour.Enqueued, snapshot.LastDay.Completed));
        Assert.Equal(900_000_000_000_000, Assert.Single(rows).Totals.Enqueued);
    }

    [Fact]
    public async Task Counts_of_a_time_to_come_are_not_counted_and_removed()
    {
        var database = Open();
        await OpenStoreAsync(database);
        var monitor = new PostgreSqlMonitorStore(database);
        await ExecuteAsync("""
            alter table taskrecovery.stats drop constraint stats_sound_check;
            insert into taskrecovery.stats (hourly, began_at, queue, kind, enqueued)
            select h, t, 1, 1, 7 from unnest(array[true, false]) h cross join unnest(array[timestamptz '2999-01-01 00:00Z', 'infinity']) t
            """);

        var snapshot = await monitor.GetSnapshotAsync(Cancellation);
        await monitor.CondenseAsync(Cancellation);

        Assert.Equal((0, 0), (snapshot.LastHour.Enqueued, snapshot.LastDay.Enqueued));
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.stats"));
    }

    [Fact]
    public async Task Counts_are_added_to_a_row_that_is_full()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        var monitor = new PostgreSqlMonitorStore(database);
        await store.EnqueueAsync([Entry(), Entry()], null, Cancellation);
        StatisticsCount[] counts = [new("default", "test", new EntryTotals { Enqueued = 5, Completed = 3 })];
        await monitor.AddStatisticsAsync(counts, Cancellation);
        await ExecuteAsync("""
            alter table taskrecovery.stats drop constraint stats_sound_check;
            update taskrecovery.stats set enqueued = 9223372036854775807
            """);

        await monitor.AddStatisticsAsync(counts, Cancellation);

        // The two calls may fall into two hours.
        Assert.Equal(6L, await ScalarAsync<long>("select sum(completed)::bigint from taskrecovery.stats where hourly"));
    }

    [Theory]
    [InlineData("began_at = 'infinity'")]
    [InlineData("completed = -1")]
    [InlineData("enqueued = 1000000000000")]
    [InlineData("wait_ms = 100000000000000")]
    public async Task Counts_that_the_library_never_writes_are_refused_by_the_database(string change)
    {
        await OpenStoreAsync();
        await ExecuteAsync("insert into taskrecovery.stats (hourly, began_at, queue, kind) values (true, now(), 1, 1)");

        var error = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync($"update taskrecovery.stats set {change}"));

        Assert.Equal((PostgresErrorCodes.CheckViolation, "stats_sound_check"), (error.SqlState, error.ConstraintName));
    }

    [Theory]
    [InlineData(OutcomeKind.Failed)]
    [InlineData(OutcomeKind.Retried)]
    [InlineData(OutcomeKind.Completed)]
    public async Task An_entry_with_the_most_attempts_and_crashes_gets_its_outcome(OutcomeKind kind)
    {
        var store = await OpenStoreAsync();
        var (id, _) = (await store.EnqueueAsync([Entry()], null, Cancellation))[0];
        await ExecuteAsync("update taskrecovery.waiting set attempt = 32767, crashes = 32767, found_by_id = true");
        var identity = Identity();
        using var node = store.OpenNodeSession();
        node.Register(identity);

        var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(
            10, new SuspectAllowance(3, 10, 10), Cancellation);
        var refused = await store.FinishAsync(
            identity.Id, [new RunOutcome { EntryId = id, Fence = batch.Fence, Kind = kind, IsTask = true }], Cancellation);

        Assert.Equal((32767, 32766), (Assert.Single(batch.Entries).Attempt, batch.Entries[0].Crashes));
        Assert.Empty(refused);
        Assert.Equal(32767, await ScalarAsync<short>($"select attempt from taskrecovery.outcomes where entry = {id}"));
        Assert.Empty(await store.CheckInvariantsAsync(Cancellation));
    }

    [Fact]
    public async Task An_entry_with_the_most_attempts_and_crashes_is_swept()
    {
        var store = await OpenStoreAsync();
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await ExecuteAsync("update taskrecovery.waiting set attempt = 32767, crashes = 32767, found_by_id = true");
        var identity = Identity();
        using var node = store.OpenNodeSession();
        node.Register(identity);
        Assert.Single((await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(
            10, new SuspectAllowance(3, 10, 10), Cancellation)).Entries);
        node.Leave(identity.Id);
        await ExecuteAsync("update taskrecovery.nodes set stopped = false");

        var report = await store.SweepAsync(3, Cancellation);

        Assert.Equal(EndReasons.CrashLoop, Assert.Single(report.Items).Reason);
    }

    [Fact]
    public async Task Of_many_queues_the_deepest_are_measured()
    {
        var store = await OpenStoreAsync();
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await ExecuteAsync("""
            insert into taskrecovery.queues (name) select 'made-up-' || n from generate_series(1, 1500) n;
            insert into taskrecovery.waiting (run_at, id, queue, kind, priority)
            select now(), 100000 + n, q.id, 1, 5 from taskrecovery.queues q cross join generate_series(1, 3) n where q.name = 'made-up-1400'
            """);

        var depths = await store.MeasureAsync(Cancellation);

        Assert.Equal(1_000, depths.Count);
        Assert.Equal(3, depths.Single(static depth => depth.Queue == "made-up-1400").Due);
        Assert.Equal(1, depths.Single(static depth => depth.Queue == "default").Due);
        Assert.All(depths, static depth => Assert.Equal(501, depth.QueuesSkipped));
    }

    [Fact]
    public async Task Of_more_lanes_than_a_measurement_reads_the_last_queues_are_skipped()
    {
        var store = await OpenStoreAsync();
        await ExecuteAsync("""
            insert into taskrecovery.queues (name) select 'made-up-' || n from generate_series(1, 600) n;
            insert into taskrecovery.waiting (run_at, id, queue, kind, priority)
            select now(), 100000 + row_number() over (), q.id, 1, n from taskrecovery.queues q cross join generate_series(-9, 9) n
                where q.name like 'made-up-%'
            """);

        var depths = await store.MeasureAsync(Cancellation);

        // The limit is 10,000 lanes; the queue in which it is reached is read to its end.
        var measured = depths.Where(static depth => depth.Queue.StartsWith("made-up-", StringComparison.Ordinal)).ToList();
        Assert.Equal(527, measured.Count);
        Assert.All(measured, static depth => Assert.Equal(19, depth.Due));
        Assert.All(depths, static depth => Assert.Equal(600 - 527, depth.QueuesSkipped));
    }
}
