using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Numbers and names that something else than this library wrote: none of them makes a question or an outcome fail.</summary>
public sealed class BoundTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Counts_that_no_sum_can_hold_break_no_snapshot()
    {
        await _files.OpenStoreAsync();
        var monitor = new SqliteMonitorStore(_files.Open());
        _files.Execute("""
            insert into taskrecovery_stats (hourly, began_at, queue, kind, enqueued, completed, failed, run_ms, wait_ms)
            select h.value, (unixepoch() - 300) * 1000000, q.value, 1, 9223372036854775807, -5, 'many', 9223372036854775807,
                9223372036854775807
            from json_each('[0, 1]') h cross join json_each('[1, 2, 3]') q
            """);

        var snapshot = await monitor.GetSnapshotAsync(Cancellation);
        var rows = await monitor.ReadStatisticsAsync(
            new ThroughputQuery { From = DateTimeOffset.UtcNow.AddDays(-1), To = DateTimeOffset.UtcNow.AddDays(1) },
            byHour: true,
            Cancellation);

        Assert.Equal(
            (900_000_000_000_000, 0, 0), (snapshot.LastHour.Enqueued, snapshot.LastDay.Completed, snapshot.LastDay.Failed));
        Assert.Equal(900_000_000_000_000, Assert.Single(rows).Totals.Enqueued);
    }

    [Fact]
    public async Task Counts_of_a_time_to_come_are_not_counted_and_removed()
    {
        await _files.OpenStoreAsync();
        var monitor = new SqliteMonitorStore(_files.Open());
        _files.Execute("""
            insert into taskrecovery_stats (hourly, began_at, queue, kind, enqueued)
            select h.value, t.value, 1, 1, 7 from json_each('[0, 1]') h cross join json_each('[9223372036854775807, "soon"]') t
            """);

        var snapshot = await monitor.GetSnapshotAsync(Cancellation);
        await monitor.CondenseAsync(Cancellation);

        Assert.Equal((0, 0), (snapshot.LastHour.Enqueued, snapshot.LastDay.Enqueued));
        Assert.Equal(0, _files.Read("select count(*) from taskrecovery_stats"));
    }

    [Theory]
    [InlineData(2147483647, OutcomeKind.Failed)]
    [InlineData(2147483647, OutcomeKind.Retried)]
    [InlineData(9223372036854775807, OutcomeKind.Completed)]
    [InlineData(-9223372036854775808, OutcomeKind.Retried)]
    public async Task An_entry_with_any_number_of_attempts_and_crashes_gets_its_outcome(long number, OutcomeKind kind)
    {
        var store = await _files.OpenStoreAsync();
        var (id, _) = (await store.EnqueueAsync([TemporaryDatabase.Entry()], null, Cancellation))[0];
        _files.Execute($"update taskrecovery_waiting set attempt = {number}, crashes = {number}");
        using var session = TemporaryDatabase.Join(store, "node", out var node);

        var batch = await store.CreateClaimer(node, "default", ["work"]).ClaimAsync(10, new SuspectAllowance(3, 10, 10), Cancellation);
        var refused = await store.FinishAsync(
            node, [new RunOutcome { EntryId = id, Fence = batch.Fence, Kind = kind, IsTask = true }], Cancellation);

        var most = number > 0 ? 32767 : 1;
        Assert.Equal((most, most - 1), (Assert.Single(batch.Entries).Attempt, batch.Entries[0].Crashes));
        Assert.Empty(refused);
        Assert.Equal(most, _files.Read($"select attempt from taskrecovery_outcomes where entry = {id}"));
        Assert.Empty(await store.CheckInvariantsAsync(Cancellation));
    }

    [Fact]
    public async Task Of_many_queues_the_deepest_are_measured()
    {
        var store = await _files.OpenStoreAsync();
        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, Cancellation);
        _files.Execute("""
            insert into taskrecovery_queues (name)
            with recursive n (n) as (values (1) union all select n + 1 from n where n < 1500) select 'made-up-' || n from n;
            insert into taskrecovery_waiting (id, queue, kind, priority, run_at)
            select 100000 + n.value, q.id, 1, 5, 1 from taskrecovery_queues q cross join json_each('[1, 2, 3]') n
            where q.name = 'made-up-1400'
            """);

        var depths = await store.MeasureAsync(Cancellation);

        Assert.Equal(1_000, depths.Count);
        Assert.Equal(3, depths.Single(static depth => depth.Queue == "made-up-1400").Due);
        Assert.Equal(1, depths.Single(static depth => depth.Queue == "default").Due);
        Assert.All(depths, static depth => Assert.Equal(501, depth.QueuesSkipped));
    }

    public void Dispose() => _files.Dispose();
}
