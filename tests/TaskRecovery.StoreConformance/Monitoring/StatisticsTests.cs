using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>Counts over time.</summary>
public abstract class StatisticsTests(StoreFixture fixture) : StoreTests(fixture)
{
    private static readonly EntryTotals Some = new()
    {
        Enqueued = 1,
        Completed = 2,
        Failed = 3,
        Cancelled = 4,
        Retried = 5,
        Snoozed = 6,
        Released = 7,
        Lost = 8,
        RunTime = TimeSpan.FromMilliseconds(900),
        WaitTime = TimeSpan.FromMilliseconds(1000),
    };

    [Fact]
    public async Task Counts_are_added_to_the_current_minute_and_hour()
    {
        await GivenEntryAsync();
        await AddAsync(new StatisticsCount(DefaultQueue, Work, Some));
        await AddAsync(new StatisticsCount(DefaultQueue, Work, Some));

        var minutes = await ReadAsync(ThroughputGrouping.None, byHour: false);
        var hours = await ReadAsync(ThroughputGrouping.None, byHour: true);
        var snapshot = await Monitor.GetSnapshotAsync(Cancellation);

        // The two calls may fall into two minutes or hours.
        Assert.Equal(Some.Add(Some), minutes.Aggregate(new EntryTotals(), (sum, row) => sum.Add(row.Totals)));
        Assert.Equal(Some.Add(Some), hours.Aggregate(new EntryTotals(), (sum, row) => sum.Add(row.Totals)));
        Assert.All(minutes, row => Assert.Equal(0, row.At.UtcTicks % TimeSpan.TicksPerMinute));
        Assert.All(hours, row => Assert.Equal(0, row.At.UtcTicks % TimeSpan.TicksPerHour));
        Assert.Equal(Some.Add(Some), snapshot.LastDay);
        Assert.Equal(Some.Add(Some), snapshot.LastHour);
    }

    [Fact]
    public async Task Counts_are_separated_by_queue_or_kind()
    {
        await GivenEntryAsync(Entry("a", "one"));
        await GivenEntryAsync(Entry("b", "two"));
        await AddAsync(
            new StatisticsCount("one", "a", new EntryTotals { Completed = 1 }),
            new StatisticsCount("one", "b", new EntryTotals { Completed = 10 }),
            new StatisticsCount("two", "b", new EntryTotals { Completed = 100 }),
            new StatisticsCount("nobody's", "b", new EntryTotals { Completed = 1000 }));

        var queues = await ReadAsync(ThroughputGrouping.Queue, byHour: true);
        var kinds = await ReadAsync(ThroughputGrouping.Kind, byHour: true);
        var one = await ReadAsync(ThroughputGrouping.None, byHour: true, queue: "one", kind: "b");

        Assert.Equal([("one", 11L), ("two", 100L)], queues.Select(row => (row.Queue, row.Totals.Completed)));
        Assert.Equal([("a", 1L), ("b", 110L)], kinds.Select(row => (row.Kind, row.Totals.Completed)));
        Assert.Equal([10L], one.Select(row => row.Totals.Completed));
    }

    [Fact]
    public async Task Minutes_are_kept_for_a_day_and_hours_for_ninety()
    {
        await GivenEntryAsync();
        await AddAsync(new StatisticsCount(DefaultQueue, Work, Some));
        await ShiftTimeAsync(TimeSpan.FromDays(60));
        await AddAsync(new StatisticsCount(DefaultQueue, Work, Some));
        await ShiftTimeAsync(TimeSpan.FromDays(40));
        await AddAsync(new StatisticsCount(DefaultQueue, Work, Some));

        while (await Monitor.CondenseAsync(Cancellation))
        {
        }

        Assert.Equal(1, (await ReadAsync(ThroughputGrouping.None, byHour: false)).Sum(row => row.Totals.Enqueued));
        Assert.Equal(2, (await ReadAsync(ThroughputGrouping.None, byHour: true)).Sum(row => row.Totals.Enqueued));
    }

    [Fact]
    public async Task Two_stores_add_at_the_same_time()
    {
        await GivenEntriesAsync(20, index => Entry($"kind-{index}"));
        var counts = Enumerable.Range(0, 20).Select(
            index => new StatisticsCount(DefaultQueue, $"kind-{index}", new EntryTotals { Enqueued = 1 })).ToArray();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(
            round => Monitor.AddStatisticsAsync(round % 2 == 0 ? counts : [.. counts.Reverse()], Cancellation).AsTask()));

        Assert.Equal(400, (await ReadAsync(ThroughputGrouping.None, byHour: true)).Sum(row => row.Totals.Enqueued));
    }

    private async Task AddAsync(params StatisticsCount[] counts) => await Monitor.AddStatisticsAsync(counts, Cancellation);

    private async Task<IReadOnlyList<StatisticsRow>> ReadAsync(
        ThroughputGrouping by, bool byHour, string? queue = null, string? kind = null)
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var query = new ThroughputQuery
        {
            From = now - TimeSpan.FromDays(365),
            To = now
            + TimeSpan.FromHours(1),
            By = by,
            Queue = queue,
            Kind = kind,
        };
        return await Monitor.ReadStatisticsAsync(query, byHour, Cancellation);
    }
}
