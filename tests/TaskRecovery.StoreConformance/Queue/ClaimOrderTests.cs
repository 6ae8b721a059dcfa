namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests the order and time of claims: by priority, first in, first out, and never before the due time.</summary>
public abstract class ClaimOrderTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task Within_a_priority_first_come_is_first_served()
    {
        var node = GivenNode();
        var first = await GivenEntriesAsync(5);
        var second = await GivenEntriesAsync(5);

        var one = await node.Claimer().ClaimAsync(3, Everything, Cancellation);
        var two = await node.Claimer().ClaimAsync(100, Everything, Cancellation);

        Assert.Equal(first[..3], one.Entries.Select(entry => entry.Id));
        Assert.Equal([.. first[3..], .. second], two.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_more_urgent_priority_comes_first()
    {
        var ids = await GivenEntriesAsync(30, index => Entry(priority: 9 - (index % 10)));

        var batch = await ClaimAsync(GivenNode());

        Assert.Equal(ids.Index().OrderBy(one => 9
            - (one.Index % 10)).ThenBy(one => one.Index).Select(one => one.Item), batch.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task An_urgent_newcomer_comes_before_those_that_wait()
    {
        var node = GivenNode();
        var ordinary = await GivenEntriesAsync(10);
        await node.Claimer().ClaimAsync(5, Everything, Cancellation);
        var urgent = await GivenEntryAsync(Entry(priority: 0));

        var batch = await node.Claimer().ClaimAsync(2, Everything, Cancellation);

        Assert.Equal([urgent, ordinary[5]], batch.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_claimer_that_found_nothing_finds_what_comes_later()
    {
        var node = GivenNode();
        await node.Claimer().ClaimAsync(5, Everything, Cancellation);

        var ids = await GivenEntriesAsync(3);

        Assert.Equal(ids, (await node.Claimer().ClaimAsync(5, Everything, Cancellation)).Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_claim_brings_no_more_than_its_limit()
    {
        var node = GivenNode();
        await GivenEntriesAsync(50, index => Entry(priority: index % 10));

        var sizes = new List<int>();
        for (var round = 0; round < 4; round++)
        {
            sizes.Add((await ClaimAsync(node, 15)).Entries.Count);
        }

        Assert.Equal([15, 15, 15, 5], sizes);
    }

    [Fact]
    public async Task Nothing_runs_before_its_time()
    {
        var node = GivenNode();
        var later = await GivenEntryAsync(Entry(after: TimeSpan.FromMinutes(10), priority: 0));
        var now = await Fixture.GetTimeAsync(Cancellation);
        var at = await GivenEntryAsync(Entry(at: now.AddHours(1), priority: 0));
        var due = await GivenEntryAsync();

        var batch = await ClaimAsync(node);
        var found = await FindAsync(later);

        Assert.Equal(due, Assert.Single(batch.Entries).Id);
        Assert.Equal(EntryState.Waiting, found.State);
        Assert.InRange(found.RunAt!.Value, now.AddMinutes(10).AddSeconds(-5), now.AddMinutes(15));
        Assert.InRange((await FindAsync(at)).RunAt!.Value, now.AddHours(1).AddMilliseconds(-1), now.AddHours(1).AddMilliseconds(1));
    }

    [Fact]
    public async Task A_scheduled_entry_runs_when_its_time_has_come()
    {
        var node = GivenNode();
        var far = await GivenEntryAsync(Entry(after: TimeSpan.FromHours(2)));
        var near = await GivenEntryAsync(Entry(after: TimeSpan.FromMinutes(30)));
        var before = await ClaimAsync(node);

        await ShiftTimeAsync(TimeSpan.FromHours(1));
        var between = await ClaimAsync(node);
        await ShiftTimeAsync(TimeSpan.FromHours(1));
        var after = await ClaimAsync(node);

        Assert.Empty(before.Entries);
        Assert.Equal(near, Assert.Single(between.Entries).Id);
        Assert.Equal(far, Assert.Single(after.Entries).Id);
    }

    [Fact]
    public async Task A_time_in_the_past_means_now()
    {
        var node = GivenNode();
        var now = await Fixture.GetTimeAsync(Cancellation);
        var first = await GivenEntryAsync();
        var past = await GivenEntryAsync(Entry(at: now.AddDays(-400)));

        var batch = await ClaimAsync(node);

        Assert.Equal([first, past], batch.Entries.Select(entry => entry.Id));
        Assert.True(batch.Entries[1].Waited < TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task A_claim_that_found_nothing_says_when_the_next_entry_is_due()
    {
        var node = GivenNode();
        await GivenEntryAsync(Entry(after: TimeSpan.FromHours(3)));
        await GivenEntryAsync(Entry(after: TimeSpan.FromMinutes(5), priority: 9));
        await GivenEntryAsync(Entry(after: TimeSpan.FromMinutes(1), queue: "other"));

        var batch = await ClaimAsync(node);

        Assert.Empty(batch.Entries);
        Assert.Equal(0, batch.Fence);
        Assert.False(batch.NodeIsDead);
        Assert.NotNull(batch.NextDue);
        Assert.InRange(batch.NextDue.Value, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task An_empty_queue_has_no_next_due_time()
    {
        var batch = await ClaimAsync(GivenNode());

        Assert.Empty(batch.Entries);
        Assert.Null(batch.NextDue);
    }

    [Fact]
    public async Task Scheduled_entries_that_are_due_come_in_the_order_of_their_times()
    {
        var ids = await GivenEntriesAsync(4, index => Entry(after: TimeSpan.FromMinutes(40 - (10 * index))));
        await ShiftTimeAsync(TimeSpan.FromHours(1));

        var batch = await ClaimAsync(GivenNode());

        Assert.Equal(ids.Reverse(), batch.Entries.Select(entry => entry.Id));
        Assert.InRange(batch.Entries[0].Waited, TimeSpan.FromMinutes(50), TimeSpan.FromMinutes(51));
    }
}
