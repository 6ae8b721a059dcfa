using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests the poll that each node sends every second, and the hints between nodes.</summary>
public abstract class PollTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_poll_names_the_queues_with_work_for_this_node()
    {
        var node = GivenNode();
        await GivenEntryAsync(Entry(queue: "due"));
        await GivenEntryAsync(Entry(queue: "later", after: TimeSpan.FromMinutes(5)));
        await GivenEntryAsync(Entry("strange", "unknown"));
        await GivenEntryAsync(Entry(queue: "paused"));
        await GivenEntryAsync(Entry(queue: "not-mine"));
        await Store.SetPausedAsync("paused", true, Cancellation);

        var poll = await PollAsync(node, ["due", "later", "unknown", "paused", "empty"], [Work]);

        Assert.Equal(["due"], poll.DueQueues);
        Assert.Empty(poll.CancelRequests);
    }

    [Fact]
    public async Task A_poll_says_when_the_next_entry_is_due()
    {
        var node = GivenNode();
        await GivenEntryAsync(Entry(queue: "a", after: TimeSpan.FromHours(5)));
        await GivenEntryAsync(Entry(queue: "b", after: TimeSpan.FromHours(2)));
        await GivenEntryAsync(Entry(queue: "c", after: TimeSpan.FromHours(1)));

        var poll = await PollAsync(node, ["a", "b"], [Work]);

        Assert.Empty(poll.DueQueues);
        Assert.InRange(poll.NextDue!.Value, TimeSpan.FromMinutes(119), TimeSpan.FromMinutes(120));
    }

    [Fact]
    public async Task A_poll_of_empty_queues_finds_nothing()
    {
        var poll = await PollAsync(GivenNode(), ["a", "b"], [Work], unknown: true);

        Assert.Empty(poll.DueQueues);
        Assert.Null(poll.NextDue);
        Assert.Empty(poll.CancelRequests);
        Assert.Empty(poll.UnknownKinds);
    }

    [Fact]
    public async Task The_first_poll_after_a_kind_is_paused_or_resumed_sees_that()
    {
        var (node, audit) = (GivenNode(), new AuditInfo("test"));
        await GivenEntryAsync(Entry(queue: "a"));
        await Store.SetPausedAsync(PauseTarget.Kind(Work), new PauseInfo(), audit, Cancellation);

        var paused = await PollAsync(node, ["a"], [Work]);
        await Store.SetPausedAsync(PauseTarget.Kind(Work), null, audit, Cancellation);
        var resumed = await PollAsync(node, ["a"], [Work]);

        Assert.Empty(paused.DueQueues);
        Assert.Equal(["a"], resumed.DueQueues);
    }

    [Fact]
    public async Task Recovered_work_makes_its_queue_due()
    {
        var held = await GivenClaimedAsync(GivenNode(), Entry(queue: "a"));
        await DieAndSweepAsync(held.Node);

        Assert.Equal(["a"], (await PollAsync(GivenNode(), ["a"], [Work])).DueQueues);
    }

    [Fact]
    public async Task Waiting_kinds_that_the_node_does_not_know_are_named_when_asked_for()
    {
        var node = GivenNode();
        await GivenEntriesAsync(3, index => Entry($"strange-{index}", "a"));
        await GivenEntryAsync(Entry(queue: "a"));
        await GivenEntryAsync(Entry("elsewhere", "not-mine"));

        var asked = await PollAsync(node, ["a"], [Work, "strange-1"], unknown: true);
        var notAsked = await PollAsync(node, ["a"], [Work, "strange-1"]);

        Assert.Equal<IEnumerable<string>>(["strange-0", "strange-2"], asked.UnknownKinds.Order(StringComparer.Ordinal));
        Assert.Empty(notAsked.UnknownKinds);
    }

    [Fact]
    public async Task Listening_ends_when_it_is_cancelled()
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var listening = Store.ListenAsync(_ => { }, source.Token);

        await source.CancelAsync();

        var ended = await Record.ExceptionAsync(() => listening.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        Assert.True(ended is null or OperationCanceledException, $"It ended with {ended}");
    }

    [Fact]
    public async Task A_listener_that_is_connected_hears_of_new_work_from_another_process()
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var heard = new TaskCompletionSource<StoreHint>(TaskCreationOptions.RunContinuationsAsynchronously);
        var listening = Store.ListenAsync(
            hint =>
            {
                // A hint to poll again, without a queue, is valid too.
                if (!connected.TrySetResult() && hint is { Queue: "mail" } or { Kind: not StoreHintKind.Work })
                {
                    heard.TrySetResult(hint);
                }
            },
            source.Token);
        await connected.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);

        await Fixture.OpenAnother().EnqueueAsync([Entry(queue: "mail")], transaction: null, Cancellation);

        await heard.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        await source.CancelAsync();
        await Record.ExceptionAsync(() => listening);
    }

    private async Task<PollResult> PollAsync(TestNode node, string[] queues, string[] kinds, bool unknown = false)
        => await Store.PollAsync(new PollRequest(node.Id, queues, kinds, unknown), Cancellation);
}
