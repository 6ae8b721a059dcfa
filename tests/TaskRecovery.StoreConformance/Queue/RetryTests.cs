using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests how an operator retries an ended entry.</summary>
public abstract class RetryTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Theory]
    [InlineData(OutcomeKind.Failed)]
    [InlineData(OutcomeKind.Cancelled)]
    public async Task An_entry_that_failed_or_was_cancelled_starts_afresh(OutcomeKind kind)
    {
        var node = GivenNode();
        var held = await GivenEndedAsync(node, kind);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation));

        var found = await FindAsync(held.Id);
        Assert.Equal((EntryState.Waiting, 0, 0), (found.State, found.Attempt, found.Crashes));
        Assert.Null(found.EndedAt);
        Assert.Null(found.Reason);
        var again = await ClaimAsync(node);
        Assert.Equal((held.Id, 1, 0), Assert.Single(again.Entries.Select(entry => (entry.Id, entry.Attempt, entry.Crashes))));
        Assert.True(again.Fence > held.Fence);
        await FinishAsync(node, Outcome(held.Id, again.Fence, result: "1"));
        Assert.Equal(EntryState.Completed, await StateAsync(held.Id));
    }

    [Fact]
    public async Task An_entry_that_was_cancelled_while_it_waited_starts_afresh()
    {
        var id = await GivenEntryAsync();
        await Store.CancelAsync(id, Cancellation);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(id, RetryFrom.LastStep, Cancellation));

        Assert.Equal(id, Assert.Single((await ClaimAsync(GivenNode())).Entries).Id);
    }

    [Fact]
    public async Task An_ended_entry_that_another_program_has_put_back_is_retried_and_waits_once()
    {
        var node = GivenNode();
        var held = await GivenEndedAsync(node, OutcomeKind.Failed);
        await Fixture.CorruptAsync(Corruption.EndedAndWaiting, held.Id, Cancellation);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation));

        Assert.Equal(held.Id, Assert.Single((await ClaimAsync(node)).Entries).Id);
    }

    [Theory]
    [InlineData(OutcomeKind.Failed)]
    [InlineData(OutcomeKind.Cancelled)]
    public async Task An_entry_that_ended_twice_waits_once_and_can_be_cancelled_again(OutcomeKind second)
    {
        var node = GivenNode();
        var held = await GivenEndedTwiceAsync(node, second);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation));

        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
        Assert.True(await Store.CancelAsync(held.Id, Cancellation));
        Assert.Equal(EntryState.Cancelled, await StateAsync(held.Id));
    }

    [Fact]
    public async Task An_entry_that_failed_and_then_completed_is_not_retried()
    {
        BreaksTheInvariant = true;
        var node = GivenNode();
        var held = await GivenEndedTwiceAsync(node, OutcomeKind.Completed);

        Assert.Equal(OperatorResult.Completed, await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation));

        Assert.Equal(EntryState.Completed, await StateAsync(held.Id));
    }

    [Fact]
    public async Task A_crash_loop_starts_afresh()
    {
        var id = await GivenEntryAsync();
        await CrashAsync(id, 2, maxCrashes: 1);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(id, RetryFrom.LastStep, Cancellation));

        Assert.Equal((1, 0), Assert.Single((await ClaimAsync(GivenNode())).Entries.Select(entry => (entry.Attempt, entry.Crashes))));
    }

    [Fact]
    public async Task Two_operators_at_once_make_one_retry()
    {
        var node = GivenNode();
        var held = await GivenEndedAsync(node, OutcomeKind.Failed);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            _ => Task.Run(async () => await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation), Cancellation)));

        Assert.Single(answers, answer => answer == OperatorResult.Done);
        Assert.Single((await ClaimAsync(node)).Entries);
    }

    [Fact]
    public async Task What_completed_waits_runs_or_is_unknown_is_not_retried()
    {
        var node = GivenNode();
        var completed = await GivenEndedAsync(node, OutcomeKind.Completed);
        var running = await GivenClaimedAsync(node);
        var waiting = await GivenEntryAsync();

        Assert.Equal(OperatorResult.Completed, await Store.RetryAsync(completed.Id, RetryFrom.LastStep, Cancellation));
        Assert.Equal(OperatorResult.NotEnded, await Store.RetryAsync(running.Id, RetryFrom.LastStep, Cancellation));
        Assert.Equal(OperatorResult.NotEnded, await Store.RetryAsync(waiting, RetryFrom.LastStep, Cancellation));
        Assert.Equal(OperatorResult.NotFound, await Store.RetryAsync(waiting + 1000, RetryFrom.LastStep, Cancellation));
        Assert.Equal(waiting, Assert.Single((await ClaimAsync(node)).Entries).Id);
    }

    [Fact]
    public async Task An_entry_whose_key_is_held_by_another_is_not_retried()
    {
        var node = GivenNode();
        var held = await GivenEndedAsync(node, OutcomeKind.Failed, "key");
        var other = await GivenEntryAsync(Entry(key: "key"));

        Assert.Equal(OperatorResult.KeyHeld, await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation));

        Assert.Equal(EntryState.Failed, await StateAsync(held.Id));
        Assert.Equal(new EnqueueResult(other, true), await EnqueueAsync(Entry(key: "key")));
    }

    [Fact]
    public async Task A_retried_entry_holds_its_key_again()
    {
        var node = GivenNode();
        var held = await GivenEndedAsync(node, OutcomeKind.Failed, "key");

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation));

        Assert.Equal(new EnqueueResult(held.Id, true), await EnqueueAsync(Entry(key: "key")));
        Assert.Equal("key", (await FindAsync(held.Id)).UniqueKey);
        await FinishAsync(await ClaimOneAsync(node, held.Id), hasUniqueKey: true);
        Assert.False((await EnqueueAsync(Entry(key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task An_old_outcome_means_nothing_to_a_retried_entry()
    {
        var node = GivenNode();
        var held = await GivenEndedAsync(node, OutcomeKind.Failed);
        await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation);

        await FinishAsync(held, OutcomeKind.Failed);

        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
    }

    [Fact]
    public async Task A_retried_entry_survives_the_sweep_of_the_node_that_failed_it()
    {
        var node = GivenNode();
        var held = await GivenEndedAsync(node, OutcomeKind.Failed);
        await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation);

        var report = await DieAndSweepAsync(node);

        Assert.Empty(report.Items);
        Assert.Equal((1, 0), Assert.Single((await ClaimAsync(GivenNode())).Entries.Select(entry => (entry.Attempt, entry.Crashes))));
    }

    [Theory]
    [InlineData(RetryFrom.LastStep, 1)]
    [InlineData(RetryFrom.Start, 0)]
    public async Task A_retry_continues_from_the_last_step_or_starts_anew(RetryFrom from, int steps)
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        var key = new ProgressKey(held.Id, null);
        Assert.True(await Store.SaveStepAsync(node.Id, key, held.Fence, "charge", Json("1"), Cancellation));
        Assert.True(await Store.SaveCheckpointAsync(node.Id, key, held.Fence, Json("2"), Cancellation));
        await FinishAsync(held, OutcomeKind.Failed, error: "refunded");

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(held.Id, from, Cancellation));

        var progress = await Store.LoadProgressAsync(key, Cancellation);
        Assert.Equal((steps, steps > 0), (progress.Steps.Count, progress.Checkpoint is not null));
        await FinishAsync(await ClaimOneAsync(node, held.Id));
    }

    // Another program has lined the entry up once more.
    private async Task<Held> GivenEndedTwiceAsync(TestNode node, OutcomeKind second)
    {
        var held = await GivenEndedAsync(node, OutcomeKind.Failed);
        await Fixture.CorruptAsync(Corruption.EndedAndWaiting, held.Id, Cancellation);
        var again = await ClaimOneAsync(node, held.Id);
        await FinishAsync(again, second);
        return again;
    }

    private async Task<Held> GivenEndedAsync(TestNode node, OutcomeKind kind, string? key = null)
    {
        var held = await GivenClaimedAsync(node, Entry(key: key));
        await FinishAsync(held, kind, error: kind == OutcomeKind.Completed ? null : "boom", hasUniqueKey: key is not null);
        return held;
    }
}
