using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>The snapshot of all queues, and the list of kinds.</summary>
public abstract class SnapshotTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task An_empty_store_has_no_queues_and_counts_nothing()
    {
        var snapshot = await Monitor.GetSnapshotAsync(Cancellation);

        Assert.Empty(snapshot.Queues);
        Assert.Equal((0, 0, 0), (snapshot.Failed.Value, snapshot.Cancelled.Value, snapshot.Stored.Value));
        Assert.Equal(new EntryTotals(), snapshot.LastDay);
    }

    [Fact]
    public async Task A_snapshot_counts_due_later_and_running_entries_of_each_queue()
    {
        var node = GivenNode();
        await GivenBatchAsync(node, 3);
        await GivenEntriesAsync(2);
        await GivenEntriesAsync(4, _ => Entry(after: TimeSpan.FromHours(1)));
        await GivenEntryAsync(Entry("other", "second", priority: 0));

        var snapshot = await Monitor.GetSnapshotAsync(Cancellation);

        Assert.Equal([DefaultQueue, "second"], snapshot.Queues.Select(queue => queue.Name));
        var first = snapshot.Queues[0];
        Assert.Equal((new Count(2), new Count(4), new Count(3)), (first.Due, first.Later, first.Running));
        Assert.InRange(first.OldestDue!.Value, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.Equal(
            (new Count(1), new Count(0), new Count(0)), (snapshot.Queues[1].Due, snapshot.Queues[1].Later, snapshot.Queues[1].Running));
        Assert.Equal(new Count(10, CountPrecision.About), snapshot.Stored);
    }

    [Fact]
    public async Task A_snapshot_counts_failed_and_cancelled_entries()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 4);
        await FinishAsync(node, Outcome(ids[0], fence, OutcomeKind.Failed), Outcome(
            ids[1], fence, OutcomeKind.Failed), Outcome(ids[2], fence, OutcomeKind.Cancelled), Outcome(ids[3], fence));

        var snapshot = await Monitor.GetSnapshotAsync(Cancellation);

        Assert.Equal((new Count(2), new Count(1)), (snapshot.Failed, snapshot.Cancelled));
        Assert.Equal(new Count(0), snapshot.Queues[0].Running);
        Assert.Null(snapshot.Queues[0].OldestDue);
        Assert.Null(Assert.Single(await Monitor.ListKindsAsync(Cancellation)).OldestDue);
    }

    [Fact]
    public async Task The_age_of_the_oldest_due_entry_is_measured_by_the_clock_of_the_store()
    {
        await GivenEntryAsync();
        await ShiftTimeAsync(TimeSpan.FromHours(2));
        await GivenEntryAsync(Entry(after: TimeSpan.FromMinutes(1)));

        var queue = Assert.Single((await Monitor.GetSnapshotAsync(Cancellation)).Queues);
        var kind = Assert.Single(await Monitor.ListKindsAsync(Cancellation));

        Assert.InRange(queue.OldestDue!.Value, TimeSpan.FromHours(2), TimeSpan.FromHours(2.1));
        Assert.InRange(kind.OldestDue!.Value, TimeSpan.FromHours(2), TimeSpan.FromHours(2.1));
        Assert.Equal(new Count(2), kind.Waiting);
    }

    [Fact]
    public async Task Queues_and_kinds_show_which_living_nodes_serve_them()
    {
        var info = """{"library":"1.2.3","application":"4.5","heartbeat_ms":60000,"queues":{"default":7},"kinds":["work"]}""";
        GivenNode(Identity("alive") with { Info = info });
        var dead = GivenNode(Identity("dead") with { Info = info });
        Die(dead);
        await GivenEntryAsync();
        await GivenEntryAsync(Entry("unknown", "nobody's"));

        var queues = (await Monitor.GetSnapshotAsync(Cancellation)).Queues;
        var kinds = await Monitor.ListKindsAsync(Cancellation);

        Assert.Equal([(DefaultQueue, 1, 7), ("nobody's", 0, 0)], queues.Select(queue => (queue.Name, queue.Nodes, queue.Concurrency)));
        Assert.Equal([("unknown", 0, 1L), (Work, 1, 1L)], kinds.Select(kind => (kind.Name, kind.Nodes, kind.Waiting.Value)));
    }
}
