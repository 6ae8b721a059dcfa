using Microsoft.Extensions.Logging;
using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests erasure: the entry has ended, and none of the application's data is left.</summary>
public abstract class EraseTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_waiting_entry_ends_and_nothing_of_it_is_left()
    {
        var id = await GivenEntryAsync(Personal("key"));

        Assert.Equal(1, await EraseAsync(EraseTarget.Entry(id)));

        await AssertErasedAsync(id, EntryState.Cancelled);
        Assert.False((await EnqueueAsync(Entry(key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task An_ended_entry_keeps_its_state_and_nothing_else()
    {
        var completed = await GivenClaimedAsync(GivenNode(), Personal());
        await FinishAsync(completed, result: """{"name":"Ann"}""");
        var failed = await GivenClaimedAsync(GivenNode(), Personal());
        await FinishAsync(failed, OutcomeKind.Retried, error: "Ann is not known");
        var again = await ClaimOneAsync(GivenNode(), failed.Id);
        await FinishAsync(again, OutcomeKind.Failed, error: "Ann is not known", reason: EndReasons.AttemptsExhausted);

        await EraseAsync(EraseTarget.Entry(completed.Id));
        await EraseAsync(EraseTarget.Entry(failed.Id));

        await AssertErasedAsync(completed.Id, EntryState.Completed);
        await AssertErasedAsync(failed.Id, EntryState.Failed);
        Assert.Equal(2, (await FindAsync(failed.Id)).Attempt);
    }

    [Fact]
    public async Task A_running_entry_ends_at_once_and_its_node_can_store_nothing_more()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Personal("key"));
        var key = new ProgressKey(held.Id, null);
        await Store.SaveStepAsync(node.Id, key, held.Fence, "step", Json("\"Ann\""), Cancellation);
        await Store.SaveCheckpointAsync(node.Id, key, held.Fence, Json("\"Ann\""), Cancellation);

        Assert.Equal(1, await EraseAsync(EraseTarget.Entry(held.Id)));

        await AssertErasedAsync(held.Id, EntryState.Cancelled);
        Assert.Equal(
            [held.Id], (await Store.PollAsync(new PollRequest(node.Id, [DefaultQueue], [Work], false), Cancellation)).CancelRequests);
        Assert.False(await Store.SaveStepAsync(node.Id, key, held.Fence, "late", Json("\"Ann\""), Cancellation));
        Assert.False(await Store.SaveCheckpointAsync(node.Id, key, held.Fence, Json("\"Ann\""), Cancellation));
        await RunInfo.SaveReportAsync(node.Id, held.Id, held.Fence, 1, null, "Ann", Cancellation);
        await RunInfo.AppendLogAsync([Log(held)], Cancellation);
        Assert.Single(await TryFinishAsync(node, held.Outcome(result: "\"Ann\"", hasUniqueKey: true)));
        await AssertErasedAsync(held.Id, EntryState.Cancelled);
        await Store.RemoveSettledClaimsAsync(node.Id, [held.Fence], Cancellation);
        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));
        Assert.Empty((await Store.PollAsync(new PollRequest(node.Id, [DefaultQueue], [Work], false), Cancellation)).CancelRequests);
    }

    [Fact]
    public async Task Retention_leaves_the_request_of_an_erased_run_until_its_node_has_seen_it()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Personal());
        await EraseAsync(EraseTarget.Entry(held.Id));

        await PurgeAsync();
        var poll = await Store.PollAsync(new PollRequest(node.Id, [DefaultQueue], [Work], false), Cancellation);

        Assert.Equal([held.Id], poll.CancelRequests);
    }

    [Fact]
    public async Task Lines_that_an_ended_run_stores_late_are_not_stored_after_an_erasure()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Personal());
        await FinishAsync(held);
        await Store.RemoveSettledClaimsAsync(node.Id, [held.Fence], Cancellation);
        var other = await GivenClaimedAsync(node, Personal());

        await EraseAsync(EraseTarget.Entry(held.Id));
        await RunInfo.AppendLogAsync([Log(held), Log(other)], Cancellation);

        await AssertErasedAsync(held.Id, EntryState.Completed);
        Assert.Single(await Monitor.ListLogAsync(other.Id, Cancellation));
    }

    [Fact]
    public async Task What_runs_beside_it_is_not_touched()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);

        await EraseAsync(EraseTarget.Entry(ids[1]));

        await RunInfo.SaveReportAsync(node.Id, ids[0], fence, 1, null, null, Cancellation);
        Assert.True(await Store.SaveStepAsync(node.Id, new ProgressKey(ids[2], null), fence, "step", Json("1"), Cancellation));
        Assert.Equal(1, (await Monitor.GetLifeAsync(ids[0], null, Cancellation))!.Progress!.Done);
        await FinishAsync(node, Outcome(ids[0], fence), Outcome(ids[2], fence));
        Assert.Equal(EntryState.Completed, await StateAsync(ids[0]));
        await AssertErasedAsync(ids[1], EntryState.Cancelled);
        Assert.Equal(EntryState.Completed, await StateAsync(ids[2]));
    }

    [Fact]
    public async Task A_run_that_ends_after_its_entry_was_removed_stores_nothing()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        await EraseAsync(EraseTarget.Entry(ids[0]));
        await PurgeAsync(new RetentionOptions { Completed = TimeSpan.Zero, Failed = TimeSpan.Zero, Cancelled = TimeSpan.Zero });

        var refused = await TryFinishAsync(node, Outcome(ids[0], fence), Outcome(ids[1], fence));

        Assert.Equal([ids[0]], refused.Select(static outcome => outcome.EntryId));
    }

    [Fact]
    public async Task The_sweep_of_a_dead_node_does_not_bring_it_back()
    {
        var node = GivenNode();
        var (_, ids) = await GivenBatchAsync(node, 2);
        await EraseAsync(EraseTarget.Entry(ids[0]));

        Assert.Equal(1, (await DieAndSweepAsync(node)).Recovered);

        await AssertErasedAsync(ids[0], EntryState.Cancelled);
        Assert.Equal(EntryState.Waiting, await StateAsync(ids[1]));
    }

    [Fact]
    public async Task An_erased_entry_is_not_retried()
    {
        var id = await GivenEntryAsync(Personal());
        await EraseAsync(EraseTarget.Entry(id));

        Assert.Equal(OperatorResult.Erased, await Store.RetryAsync(id, RetryFrom.Start, Cancellation));
        await AssertErasedAsync(id, EntryState.Cancelled);
    }

    [Fact]
    public async Task Entries_are_found_by_their_key_in_every_state_and_kind()
    {
        var ended = await GivenClaimedAsync(GivenNode(), Personal("ann"));
        await FinishAsync(ended, hasUniqueKey: true);
        var waiting = await GivenEntryAsync(Personal("ann"));
        var other = await GivenEntryAsync(Personal("ann") with { Kind = "other" });
        var bob = await GivenEntryAsync(Personal("bob"));

        Assert.Equal(2, await EraseAsync(EraseTarget.ByUniqueKey("ann", Work)));
        await AssertErasedAsync(ended.Id, EntryState.Completed);
        await AssertErasedAsync(waiting, EntryState.Cancelled);
        Assert.Equal(EntryState.Waiting, await StateAsync(other));

        Assert.Equal(1, await EraseAsync(EraseTarget.ByUniqueKey("ann")));
        Assert.Equal(0, await EraseAsync(EraseTarget.ByUniqueKey("ann")));
        await AssertErasedAsync(other, EntryState.Cancelled);
        Assert.Equal(EntryState.Waiting, await StateAsync(bob));
        Assert.Equal(0, await EraseAsync(EraseTarget.ByUniqueKey("ann", "unknown")));
    }

    [Fact]
    public async Task Entries_are_found_by_a_pair_of_their_metadata()
    {
        var ann = await GivenEntryAsync(Entry() with { Metadata = """{"person":"O\u0027Ann \u00FC","tenant":"7"}""" });
        var tenant = await GivenEntryAsync(Entry() with { Metadata = """{"tenant":"O\u0027Ann \u00FC"}""" });
        var none = await GivenEntryAsync();

        Assert.Equal(1, await EraseAsync(EraseTarget.ByMetadata("person", "O'Ann ü")));

        await AssertErasedAsync(ann, EntryState.Cancelled);
        Assert.Equal(EntryState.Waiting, await StateAsync(tenant));
        Assert.Equal(EntryState.Waiting, await StateAsync(none));
    }

    [Fact]
    public async Task An_entry_that_is_not_there_is_none() => Assert.Equal(0, await EraseAsync(EraseTarget.Entry(123456)));

    [Fact]
    public async Task Metadata_that_cannot_be_read_do_not_fail_a_list()
    {
        var good = await GivenEntryAsync(Entry() with { Metadata = """{"tenant":"7"}""" });
        var bad = await GivenEntryAsync(Entry() with { Metadata = "{\"tenant\"" });
        var odd = await GivenEntryAsync(Entry() with { Metadata = """{"tenant":7,"other":[1]}""" });
        var list = await GivenEntryAsync(Entry() with { Metadata = "[1]" });

        var entries = (await Store.ListAsync(new EntryFilter(), Cancellation)).Entries.ToDictionary(entry => entry.Id);

        Assert.Equal("7", entries[good].Metadata!["tenant"]);
        Assert.Null(entries[bad].Metadata);
        Assert.Equal(("7", "[1]"), (entries[odd].Metadata!["tenant"], entries[odd].Metadata!["other"]));
        Assert.Null(entries[list].Metadata);
        Assert.Null((await FindAsync(bad)).Metadata);
    }

    private static NewEntry Personal(string? key = null)
        => Entry(key: key, args: """{"name":"Ann"}""") with { Metadata = """{"person":"Ann"}""" };

    private ValueTask<int> EraseAsync(EraseTarget target) => Store.EraseAsync(target, Cancellation);

    private async Task AssertErasedAsync(long id, EntryState state)
    {
        var entry = await FindAsync(id);
        Assert.Equal((state, EndReasons.Erased, string.Empty), (entry.State, entry.Reason, entry.Args));
        Assert.Equal((null, null, null, null), (entry.UniqueKey, entry.Metadata, entry.Result, entry.Error));
        var progress = await Store.LoadProgressAsync(new ProgressKey(id, null), Cancellation);
        Assert.Empty(progress.Steps);
        Assert.Null(progress.Checkpoint);
        Assert.Null((await Monitor.GetLifeAsync(id, null, Cancellation))!.Progress);
        Assert.Empty(await Monitor.ListLogAsync(id, Cancellation));
    }

    private static RunLogPart Log(Held held)
        => new(held.Id, held.Fence, 0, [new RunLogLine(held.Fence, DateTimeOffset.UnixEpoch, LogLevel.Information, "Category", "Ann")]);
}
