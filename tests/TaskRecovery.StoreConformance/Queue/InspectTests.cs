using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests the operations that find, list, count and measure entries.</summary>
public abstract class InspectTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task An_unknown_entry_is_not_found()
        => Assert.Null(await Store.FindAsync(123456, Cancellation));

    [Fact]
    public async Task A_list_has_the_newest_first_and_every_state()
    {
        var ids = await GivenOneOfEachAsync();

        var page = await Store.ListAsync(new EntryFilter { WithPayloads = true }, Cancellation);

        Assert.Equal(ids.All.OrderDescending(), page.Entries.Select(entry => entry.Id));
        Assert.Null(page.NextBefore);
        foreach (var listed in page.Entries)
        {
            var found = await FindAsync(listed.Id);
            Assert.Equal(found with { Metadata = null }, listed with { Metadata = null });
        }
    }

    [Fact]
    public async Task An_entry_that_was_cancelled_while_it_waited_has_never_started()
    {
        var id = await GivenEntryAsync();
        await Store.CancelAsync(id, Cancellation);
        var ended = (await FindAsync(id)).StartedAt;
        var listed = Assert.Single((await Monitor.ListAsync(new EntryQuery(), Cancellation)).Entries).StartedAt;
        await Store.RetryAsync(id, RetryFrom.LastStep, Cancellation);
        var waiting = (await FindAsync(id)).StartedAt;
        await ClaimOneAsync(GivenNode(), id);

        Assert.All([ended, listed, waiting], static time => Assert.Null(time));
        Assert.NotNull((await FindAsync(id)).StartedAt);
    }

    [Fact]
    public async Task A_list_has_no_payloads_unless_they_are_asked_for()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Entry(args: """{"large":"arguments"}"""));
        await FinishAsync(held, result: """{"large":"result"}""");

        var without = Assert.Single((await Store.ListAsync(new EntryFilter(), Cancellation)).Entries);
        var completed = Assert.Single((await Store.ListAsync(new EntryFilter { State = EntryState.Completed }, Cancellation)).Entries);
        var with = Assert.Single((await Store.ListAsync(new EntryFilter { WithPayloads = true }, Cancellation)).Entries);

        Assert.Equal((string.Empty, null), (without.Args, without.Result));
        Assert.Equal((string.Empty, null), (completed.Args, completed.Result));
        SameJson("""{"large":"arguments"}""", with.Args);
        SameJson("""{"large":"result"}""", with.Result);
    }

    [Theory]
    [InlineData(EntryState.Waiting)]
    [InlineData(EntryState.Running)]
    [InlineData(EntryState.Completed)]
    [InlineData(EntryState.Failed)]
    [InlineData(EntryState.Cancelled)]
    public async Task A_list_can_be_of_one_state(EntryState state)
    {
        var ids = await GivenOneOfEachAsync();

        var page = await Store.ListAsync(new EntryFilter { State = state }, Cancellation);

        Assert.Equal(ids.Of(state).OrderDescending(), page.Entries.Select(entry => entry.Id));
        Assert.All(page.Entries, entry => Assert.Equal(state, entry.State));
    }

    [Fact]
    public async Task A_list_can_be_of_one_queue_and_one_kind()
    {
        var ids = await GivenEntriesAsync(12, index => Entry($"kind-{index % 3}", $"queue-{index % 2}"));

        var queue = await Store.ListAsync(new EntryFilter { Queue = "queue-1" }, Cancellation);
        var kind = await Store.ListAsync(new EntryFilter { Kind = "kind-2" }, Cancellation);
        var both = await Store.ListAsync(new EntryFilter { Queue = "queue-1", Kind = "kind-2", State = EntryState.Waiting }, Cancellation);
        var none = await Store.ListAsync(new EntryFilter { Queue = "nowhere" }, Cancellation);

        Assert.Equal(ids.Where((_, index) => index % 2 == 1).Reverse(), queue.Entries.Select(entry => entry.Id));
        Assert.Equal(ids.Where((_, index) => index % 3 == 2).Reverse(), kind.Entries.Select(entry => entry.Id));
        Assert.Equal(ids.Where((_, index) => index % 6 == 5).Reverse(), both.Entries.Select(entry => entry.Id));
        Assert.Empty(none.Entries);
    }

    [Fact]
    public async Task Pages_follow_each_other_and_miss_nothing()
    {
        var ids = await GivenEntriesAsync(25, index => Entry(queue: index % 5 == 4 ? "other" : DefaultQueue));

        var seen = new List<long>();
        var sizes = new List<int>();
        long? before = null;
        do
        {
            var page = await Store.ListAsync(new EntryFilter { Queue = DefaultQueue, Limit = 8, Before = before }, Cancellation);
            seen.AddRange(page.Entries.Select(entry => entry.Id));
            sizes.Add(page.Entries.Count);
            before = page.NextBefore;
        }
        while (before is not null);

        Assert.Equal(ids.Where((_, index) => index % 5 != 4).Reverse(), seen);
        Assert.Equal([8, 8, 4], sizes);
    }

    [Fact]
    public async Task A_count_tells_the_states_apart()
    {
        await GivenOneOfEachAsync();
        await GivenEntryAsync(Entry(after: TimeSpan.FromHours(1)));
        await GivenEntryAsync(Entry(queue: "other"));

        Assert.Equal(new QueueCounts(4, 1, 2, 2, 1, 3), await Store.CountAsync(null, Cancellation));
        Assert.Equal(new QueueCounts(3, 1, 2, 2, 1, 3), await Store.CountAsync(DefaultQueue, Cancellation));
        Assert.Equal(new QueueCounts(1, 0, 0, 0, 0, 0), await Store.CountAsync("other", Cancellation));
        Assert.Equal(new QueueCounts(0, 0, 0, 0, 0, 0), await Store.CountAsync("nowhere", Cancellation));
    }

    [Fact]
    public async Task Depth_and_age_of_each_queue_are_measured()
    {
        await GivenEntriesAsync(3, _ => Entry(queue: "a"));
        await ShiftTimeAsync(TimeSpan.FromMinutes(10));
        await GivenEntriesAsync(2, _ => Entry(queue: "a"));
        await GivenEntryAsync(Entry(queue: "b"));
        await GivenEntryAsync(Entry(queue: "b", after: TimeSpan.FromHours(1)));

        var depths = (await Store.MeasureAsync(Cancellation)).ToDictionary(depth => depth.Queue, StringComparer.Ordinal);

        Assert.Equal(5, depths["a"].Due);
        Assert.InRange(depths["a"].OldestAge, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(11));
        Assert.Equal(1, depths["b"].Due);
        Assert.InRange(depths["b"].OldestAge, TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Queue_without_a_due_entry_has_no_age()
    {
        await GivenEntryAsync(Entry(queue: "later", after: TimeSpan.FromHours(1)));
        await GivenClaimedAsync(GivenNode(), Entry(queue: "empty"));

        var depths = (await Store.MeasureAsync(Cancellation)).ToDictionary(depth => depth.Queue, StringComparer.Ordinal);

        Assert.Equal((0, TimeSpan.Zero), (depths["later"].Due, depths["later"].OldestAge));
        Assert.Equal((0, TimeSpan.Zero), (depths["empty"].Due, depths["empty"].OldestAge));
    }

    private async Task<Each> GivenOneOfEachAsync()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 7);
        await FinishAsync(
            node,
            Outcome(ids[0], fence, result: "1"),
            Outcome(ids[1], fence, result: "2"),
            Outcome(ids[2], fence, OutcomeKind.Failed, error: "x", reason: EndReasons.FailedForGood),
            Outcome(ids[3], fence, OutcomeKind.Cancelled, reason: EndReasons.CancelledByWorker),
            Outcome(ids[4], fence, OutcomeKind.Superseded, reason: EndReasons.Superseded));
        var waiting = await GivenEntriesAsync(4);
        await Store.CancelAsync(waiting[0], Cancellation);
        return new Each(waiting[1..], ids[5..], ids[..2], ids[2..3], [ids[3], ids[4], waiting[0]]);
    }

    private sealed record Each(long[] Waiting, long[] Running, long[] Completed, long[] Failed, long[] Cancelled)
    {
        public long[] All => [.. Waiting, .. Running, .. Completed, .. Failed, .. Cancelled];

        public long[] Of(EntryState state) => state switch
        {
            EntryState.Waiting => Waiting,
            EntryState.Running => Running,
            EntryState.Completed => Completed,
            EntryState.Failed => Failed,
            _ => Cancelled,
        };
    }
}
