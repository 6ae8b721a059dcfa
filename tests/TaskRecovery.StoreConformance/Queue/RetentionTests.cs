using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests how long history is kept, and what is never removed.</summary>
public abstract class RetentionTests(StoreFixture fixture) : StoreTests(fixture)
{
    private static readonly RetentionOptions Nothing =
        new() { Completed = TimeSpan.Zero, Failed = TimeSpan.Zero, Cancelled = TimeSpan.Zero };

    [Fact]
    public async Task Ended_entries_stay_for_their_time()
    {
        var (completed, failed, cancelled) = await GivenEndedAsync();

        await PurgeAsync();

        Assert.Equal(EntryState.Completed, await StateAsync(completed));
        Assert.Equal(EntryState.Failed, await StateAsync(failed));
        Assert.Equal(EntryState.Cancelled, await StateAsync(cancelled));
    }

    [Fact]
    public async Task Each_kind_of_end_has_a_time_of_its_own()
    {
        var (completed, failed, cancelled) = await GivenEndedAsync();
        await ShiftTimeAsync(TimeSpan.FromHours(30));

        await PurgeAsync(
            new RetentionOptions { Completed = TimeSpan.FromHours(24), Failed = TimeSpan.FromDays(7), Cancelled = TimeSpan.FromHours(29) });
        Assert.Null(await Store.FindAsync(completed, Cancellation));
        Assert.Null(await Store.FindAsync(cancelled, Cancellation));
        Assert.Equal(EntryState.Failed, await StateAsync(failed));

        await ShiftTimeAsync(TimeSpan.FromDays(7));
        await PurgeAsync();
        Assert.Null(await Store.FindAsync(failed, Cancellation));
    }

    [Fact]
    public async Task Zero_means_not_kept()
    {
        var (completed, failed, cancelled) = await GivenEndedAsync();

        await PurgeAsync(Nothing);

        Assert.Null(await Store.FindAsync(completed, Cancellation));
        Assert.Null(await Store.FindAsync(failed, Cancellation));
        Assert.Null(await Store.FindAsync(cancelled, Cancellation));
        Assert.Equal(new QueueCounts(0, 0, 0, 0, 0, 0), await Store.CountAsync(null, Cancellation));
    }

    [Fact]
    public async Task What_nobody_claims_ends_after_its_time_where_there_is_one()
    {
        await Store.SetPausedAsync("paused", paused: true, Cancellation);
        var paused = await GivenEntryAsync(Entry(queue: "paused", key: "key"));
        var unknown = await GivenEntryAsync(Entry(kind: "unknown", priority: 2));
        var held = await GivenClaimedAsync(GivenNode());
        await ShiftTimeAsync(TimeSpan.FromHours(2));
        var later = await GivenEntryAsync(Entry(after: TimeSpan.FromHours(1)));
        var fresh = await GivenEntryAsync(Entry(queue: "paused"));

        await PurgeAsync();
        Assert.Equal(EntryState.Waiting, await StateAsync(paused));
        await PurgeAsync(new RetentionOptions { Due = TimeSpan.FromHours(1) });

        foreach (var expired in new[] { await FindAsync(paused), await FindAsync(unknown) })
        {
            Assert.Equal((EntryState.Cancelled, EndReasons.Expired), (expired.State, expired.Reason));
        }

        Assert.Equal(
            (EntryState.Waiting, EntryState.Waiting, EntryState.Running),
            (await StateAsync(later), await StateAsync(fresh), await StateAsync(held.Id)));
        Assert.False((await EnqueueAsync(Entry(key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task Everything_overdue_ends_before_the_purge_says_that_nothing_is_left()
    {
        await Store.SetPausedAsync("paused", paused: true, Cancellation);
        await GivenEntriesAsync(2100, static _ => Entry(queue: "paused"));
        await ShiftTimeAsync(TimeSpan.FromHours(2));

        await PurgeAsync(new RetentionOptions { Due = TimeSpan.FromHours(1) });

        var counts = await Store.CountAsync(null, Cancellation);
        Assert.Equal((0, 2100), (counts.Due.Value, counts.Cancelled.Value));
    }

    [Fact]
    public async Task What_waits_or_runs_never_goes()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var retried = await GivenClaimedAsync(held.Node);
        await FinishAsync(retried, OutcomeKind.Retried, error: "boom", delay: TimeSpan.FromDays(5000));
        var waiting = await GivenEntryAsync(Entry(key: "key"));
        await ShiftTimeAsync(TimeSpan.FromDays(1000));

        await PurgeAsync(Nothing);

        Assert.Equal(EntryState.Running, await StateAsync(held.Id));
        Assert.Equal(EntryState.Waiting, await StateAsync(waiting));
        Assert.Equal(
            (EntryState.Waiting, 1, "boom"),
            ((await FindAsync(retried.Id)).State, (await FindAsync(retried.Id)).Attempt, (await FindAsync(retried.Id)).Error));
        Assert.True((await EnqueueAsync(Entry(key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task What_a_claim_lists_stays_whatever_the_options_say()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await FinishAsync(node, Outcome(ids[0], fence), Outcome(ids[1], fence, OutcomeKind.Failed, error: "x"));

        await PurgeAsync(Nothing);
        var whileListed = await StateAsync(ids[0]);
        var report = await DieAndSweepAsync(node);
        await PurgeAsync(Nothing);

        Assert.Equal(EntryState.Completed, whileListed);
        Assert.Equal(ids[2], Assert.Single(report.Items).EntryId);
        Assert.Null(await Store.FindAsync(ids[0], Cancellation));
        Assert.Equal(ids[2], Assert.Single((await ClaimAsync(GivenNode())).Entries).Id);
    }

    [Fact]
    public async Task An_ended_entry_that_another_program_has_put_back_keeps_no_other_from_going()
    {
        // A store may keep the entry.
        BreaksTheInvariant = true;
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await FinishAsync(node, [.. ids.Select(id => Outcome(id, fence))]);
        await Store.RemoveSettledClaimsAsync(node.Id, [fence], Cancellation);
        await Fixture.CorruptAsync(Corruption.EndedAndWaiting, ids[1], Cancellation);

        await PurgeAsync(Nothing);

        Assert.Null(await Store.FindAsync(ids[0], Cancellation));
        Assert.Null(await Store.FindAsync(ids[2], Cancellation));
    }

    [Fact]
    public async Task A_purge_works_in_parts_and_says_when_more_is_left()
    {
        var node = GivenNode();
        await GivenEntriesAsync(3000);
        await FinishAllAsync(node, OutcomeKind.Completed);

        await PurgeAsync(Nothing);

        Assert.Equal(0, (await Store.CountAsync(null, Cancellation)).Completed.Value);
    }

    [Theory]
    [InlineData(OutcomeKind.Completed)]
    [InlineData(OutcomeKind.Failed)]
    [InlineData(OutcomeKind.Cancelled)]
    public async Task Many_that_ended_late_do_not_keep_what_was_stored_after_them(OutcomeKind kind)
    {
        var late = await GivenEntriesAsync(6000, _ => Entry(after: TimeSpan.FromDays(9)));
        var node = GivenNode();
        var old = await GivenClaimedAsync(node);
        await FinishAsync(old, kind, error: "x");
        await Store.RemoveSettledClaimsAsync(node.Id, [old.Fence], Cancellation);
        await ShiftTimeAsync(TimeSpan.FromDays(10));
        await FinishAllAsync(node, kind);

        await PurgeAsync();

        Assert.Null(await Store.FindAsync(old.Id, Cancellation));
        Assert.NotNull(await Store.FindAsync(late[0], Cancellation));
        Assert.NotNull(await Store.FindAsync(late[^1], Cancellation));
    }

    [Fact]
    public async Task The_steps_of_a_purged_entry_go_with_it()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var key = new ProgressKey(held.Id, null);
        await Store.SaveStepAsync(held.Node.Id, key, held.Fence, "one", Json("1"), Cancellation);
        await Store.SaveCheckpointAsync(held.Node.Id, key, held.Fence, Json("1"), Cancellation);
        await FinishAsync(held);
        await Store.RemoveSettledClaimsAsync(held.Node.Id, [held.Fence], Cancellation);

        await PurgeAsync(Nothing);

        var progress = await Store.LoadProgressAsync(key, Cancellation);
        Assert.Empty(progress.Steps);
        Assert.Null(progress.Checkpoint);
    }

    [Fact]
    public async Task An_entry_that_an_operator_retried_is_not_purged()
    {
        var (_, failed, _) = await GivenEndedAsync();
        await ShiftTimeAsync(TimeSpan.FromDays(30));
        await Store.RetryAsync(failed, RetryFrom.LastStep, Cancellation);

        await PurgeAsync(Nothing);

        Assert.Equal(EntryState.Waiting, await StateAsync(failed));
    }

    [Fact]
    public async Task Dead_nodes_without_claims_go_and_living_ones_stay()
    {
        var dead = GivenNode();
        var alive = GivenNode();
        await DieAndSweepAsync(dead);
        await ShiftTimeAsync(TimeSpan.FromDays(30));

        await PurgeAsync(Nothing);

        Assert.True(alive.Beat().Accepted);
        using var session = Store.OpenNodeSession();
        Assert.False(session.SendHeartbeat(dead.Id, false).Accepted);
        Assert.True((await ClaimAsync(dead)).NodeIsDead);
    }

    [Fact]
    public async Task Dead_node_stays_a_day_longer_than_the_longest_history()
    {
        var node = GivenNode("worker");
        var held = await GivenClaimedAsync(node);
        await FinishAsync(held, OutcomeKind.Retried, error: "boom", delay: TimeSpan.FromDays(1000));
        await Store.RemoveSettledClaimsAsync(node.Id, [held.Fence], Cancellation);
        await DieAndSweepAsync(node);
        var retention =
            new RetentionOptions { Completed = TimeSpan.FromHours(1), Failed = TimeSpan.FromDays(7), Cancelled = TimeSpan.FromHours(1) };

        await ShiftTimeAsync(TimeSpan.FromDays(7.9));
        await PurgeAsync(retention);
        var before = await FindAsync(held.Id);
        await ShiftTimeAsync(TimeSpan.FromDays(0.2));
        await PurgeAsync(retention);

        Assert.Equal("worker", before.Node);
        Assert.Null((await FindAsync(held.Id)).Node);
    }

    /// <summary>Claims and ends all due entries.</summary>
    private async Task FinishAllAsync(TestNode node, OutcomeKind kind)
    {
        while (await ClaimAsync(node) is { Entries.Count: > 0 } batch)
        {
            await FinishAsync(node, [.. batch.Entries.Select(entry => Outcome(entry.Id, batch.Fence, kind))]);
            await Store.RemoveSettledClaimsAsync(node.Id, [batch.Fence], Cancellation);
        }
    }

    /// <summary>Creates three ended entries that no claim lists any more.</summary>
    private async Task<(long Completed, long Failed, long Cancelled)> GivenEndedAsync()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await FinishAsync(
            node,
            Outcome(ids[0], fence, result: "1"),
            Outcome(ids[1], fence, OutcomeKind.Failed, error: "x"),
            Outcome(ids[2], fence, OutcomeKind.Cancelled, reason: EndReasons.CancelledByWorker));
        await Store.RemoveSettledClaimsAsync(node.Id, [fence], Cancellation);
        return (ids[0], ids[1], ids[2]);
    }
}
