using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests cancel requests: they are stored first, take effect when the entry is next waiting, claimed or finished, and are removed
/// when it ends.</summary>
public abstract class CancelTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_waiting_entry_ends_at_once()
    {
        var id = await GivenEntryAsync();
        var scheduled = await GivenEntryAsync(Entry(after: TimeSpan.FromHours(1)));

        Assert.True(await Store.CancelAsync(id, Cancellation));
        Assert.True(await Store.CancelAsync(scheduled, Cancellation));

        foreach (var found in new[] { await FindAsync(id), await FindAsync(scheduled) })
        {
            Assert.Equal((EntryState.Cancelled, EndReasons.CancelRequested), (found.State, found.Reason));
            Assert.NotNull(found.EndedAt);
        }

        Assert.Empty((await ClaimAsync(GivenNode())).Entries);
    }

    [Fact]
    public async Task A_running_entry_has_its_request_stored_and_shown_to_its_node()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await GivenClaimedAsync(GivenNode());

        Assert.True(await Store.CancelAsync(held.Id, Cancellation));
        Assert.True(await Store.CancelAsync(held.Id, Cancellation));

        var found = await FindAsync(held.Id);
        Assert.Equal((EntryState.Running, true), (found.State, found.CancelRequested));
        var poll = await Store.PollAsync(new PollRequest(node.Id, [DefaultQueue], [Work], false), Cancellation);
        Assert.Equal([held.Id], poll.CancelRequests);
        var other = await Store.PollAsync(new PollRequest(Judge.Id, [DefaultQueue], [Work], false), Cancellation);
        Assert.Empty(other.CancelRequests);
        await FinishAsync(held, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested);
        Assert.Equal(
            (EntryState.Cancelled, EndReasons.CancelRequested), ((await FindAsync(held.Id)).State, (await FindAsync(held.Id)).Reason));
        Assert.Empty((await Store.PollAsync(new PollRequest(node.Id, [DefaultQueue], [Work], false), Cancellation)).CancelRequests);
    }

    [Theory]
    [InlineData(OutcomeKind.Completed, EntryState.Completed)]
    [InlineData(OutcomeKind.Failed, EntryState.Failed)]
    public async Task A_run_that_ends_before_it_is_stopped_ends_as_it_did(OutcomeKind kind, EntryState state)
    {
        var held = await GivenClaimedAsync(GivenNode());
        await Store.CancelAsync(held.Id, Cancellation);

        await FinishAsync(held, kind);

        Assert.Equal(state, await StateAsync(held.Id));
    }

    [Theory]
    [InlineData(OutcomeKind.Retried)]
    [InlineData(OutcomeKind.Snoozed)]
    [InlineData(OutcomeKind.Released)]
    public async Task What_would_go_back_ends_as_cancelled(OutcomeKind kind)
    {
        var held = await GivenClaimedAsync(GivenNode(), Entry(key: "key"));
        await Store.CancelAsync(held.Id, Cancellation);

        await FinishAsync(held, kind, error: "boom", delay: TimeSpan.FromHours(1), hasUniqueKey: true);

        var found = await FindAsync(held.Id);
        Assert.Equal((EntryState.Cancelled, EndReasons.CancelRequested), (found.State, found.Reason));
        Assert.False((await EnqueueAsync(Entry(key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task An_entry_that_waits_for_its_next_attempt_ends_at_once()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await FinishAsync(held, OutcomeKind.Retried, error: "boom", delay: TimeSpan.FromHours(1));

        Assert.True(await Store.CancelAsync(held.Id, Cancellation));

        Assert.Equal(EntryState.Cancelled, await StateAsync(held.Id));
    }

    [Fact]
    public async Task The_sweep_ends_what_was_cancelled_instead_of_running_it_again()
    {
        var node = GivenNode();
        var (_, ids) = await GivenBatchAsync(node, 3);
        await Store.CancelAsync(ids[1], Cancellation);

        var report = await DieAndSweepAsync(node);

        Assert.Equal((2, 1), (report.Recovered, report.Closed));
        var closed = Assert.Single(report.Items, item => item.Action == RecoveryAction.Closed);
        Assert.Equal((ids[1], EndReasons.CancelRequested), (closed.EntryId!.Value, closed.Reason));
        Assert.Equal(EntryState.Cancelled, await StateAsync(ids[1]));
        Assert.Equal([ids[0], ids[2]], (await ClaimAsync(GivenNode())).Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task Giving_back_a_lost_answer_ends_what_was_cancelled()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        await Store.CancelAsync(ids[0], Cancellation);

        await Store.ReleaseClaimsAsync(node.Id, [fence], Cancellation);

        Assert.Equal(EntryState.Cancelled, await StateAsync(ids[0]));
        Assert.Equal([ids[1]], (await ClaimAsync(node)).Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task An_ended_or_unknown_entry_cannot_be_cancelled()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await FinishAsync(held);
        var cancelled = await GivenEntryAsync();
        await Store.CancelAsync(cancelled, Cancellation);

        Assert.False(await Store.CancelAsync(held.Id, Cancellation));
        Assert.False(await Store.CancelAsync(cancelled, Cancellation));
        Assert.False(await Store.CancelAsync(held.Id + 1000, Cancellation));
        Assert.Equal(EntryState.Completed, await StateAsync(held.Id));
    }

    [Fact]
    public async Task A_request_does_not_outlive_the_end_of_its_entry()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await Store.CancelAsync(held.Id, Cancellation);
        await FinishAsync(held, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation));
        var waiting = await FindAsync(held.Id);
        var claimed = await ClaimAsync(node);
        await FinishAsync(node, Outcome(held.Id, claimed.Fence, OutcomeKind.Retried, error: "boom"));

        Assert.False(waiting.CancelRequested);
        Assert.False(Assert.Single(claimed.Entries).CancelRequested);
        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
    }

    [Fact]
    public async Task Many_cancels_at_once_end_the_entry_once()
    {
        var id = await GivenEntryAsync();

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(async () => await Store.CancelAsync(id, Cancellation), Cancellation)));

        Assert.Contains(true, answers);
        Assert.Equal(EntryState.Cancelled, await StateAsync(id));
        Assert.Equal(1, (await Store.CountAsync(null, Cancellation)).Cancelled.Value);
        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(id, RetryFrom.LastStep, Cancellation));
        Assert.False(Assert.Single((await ClaimAsync(GivenNode())).Entries).CancelRequested);
    }

    [Fact]
    public async Task A_cancel_that_races_with_a_claim_is_never_lost()
    {
        var ids = await GivenEntriesAsync(100);
        var node = GivenNode();

        var cancelling = Task.Run(
            async () =>
            {
                foreach (var id in ids)
                {
                    Assert.True(await Store.CancelAsync(id, Cancellation));
                }
            },
            Cancellation);
        var claimed = new List<(long Id, bool CancelRequested)>();
        while (!cancelling.IsCompleted)
        {
            claimed.AddRange((await ClaimAsync(node, 3)).Entries.Select(entry => (entry.Id, entry.CancelRequested)));
        }

        await cancelling;
        var requests = (await Store.PollAsync(new PollRequest(node.Id, [DefaultQueue], [Work], false), Cancellation)).CancelRequests;

        Assert.Equal(claimed.Select(one => one.Id).Order(), requests.Order());
        foreach (var id in ids.Except(claimed.Select(one => one.Id)))
        {
            Assert.Equal(EntryState.Cancelled, await StateAsync(id));
        }
    }
}
