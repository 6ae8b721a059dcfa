using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <content>Undo.</content>
public abstract partial class BulkOperationTests
{
    [Fact]
    public async Task Undoing_a_cancellation_restores_due_times_attempts_and_keys()
    {
        var node = GivenNode();
        var retried = await GivenClaimedAsync(node);
        await FinishAsync(retried, OutcomeKind.Retried, delay: TimeSpan.FromHours(5));
        var later = await GivenEntryAsync(Entry(after: TimeSpan.FromHours(2), key: "k", priority: 1));
        var before = new[] { await FindAsync(retried.Id), await FindAsync(later) };
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(operation.Id);
        Assert.Equal(EntryState.Cancelled, await StateAsync(later));

        var undo = await Operations.UndoAsync(operation.Id, Anna, Cancellation);
        var last = (await RunAsync(undo.Operation!.Id))[^1];

        Assert.Equal((OperationResult.Done, 2L, 0L), (undo.Result, last.Done, last.Refused));
        var after = new[] { await FindAsync(retried.Id), await FindAsync(later) };
        Assert.Equal(before.Select(entry => (entry.State, entry.RunAt, entry.Attempt, entry.Crashes)), after.Select(
            entry => (entry.State, entry.RunAt, entry.Attempt, entry.Crashes)));
        Assert.True((await EnqueueAsync(Entry(key: "k"))).IsDuplicate);
        Assert.Equal(undo.Operation.Id, (await Operations.FindAsync(operation.Id, null, Cancellation))!.UndoneBy);
    }

    [Fact]
    public async Task Undoing_a_cancellation_reopens_an_entry_that_another_program_has_put_back()
    {
        var ids = await GivenEntriesAsync(2);
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(operation.Id);
        await Fixture.CorruptAsync(Corruption.EndedAndWaiting, ids[0], Cancellation);

        var last = await UndoneAsync(operation.Id);

        Assert.Equal((2L, 0L), (last.Done, last.Refused));
        Assert.Equal(ids, (await ClaimAsync(GivenNode())).Entries.Select(static entry => entry.Id).Order());
    }

    [Fact]
    public async Task Undoing_a_retry_ends_what_has_not_run_since_as_it_had_ended()
    {
        var node = GivenNode();
        var failed = await GivenClaimedAsync(node, Entry(key: "k"));
        await FinishAsync(failed, OutcomeKind.Failed, error: "boom", reason: EndReasons.AttemptsExhausted, hasUniqueKey: true);
        var cancelled = await GivenEntryAsync();
        await Store.CancelAsync(cancelled, Cancellation);
        var before = new[] { await FindAsync(failed.Id), await FindAsync(cancelled) };
        var operation = await StartedAsync(BulkAction.Retry, Unwell);
        await RunAsync(operation.Id);
        Assert.Equal([EntryState.Waiting, EntryState.Waiting], [await StateAsync(failed.Id), await StateAsync(cancelled)]);

        var last = await UndoneAsync(operation.Id);

        var after = new[] { await FindAsync(failed.Id), await FindAsync(cancelled) };
        Assert.Equal((2L, 0L), (last.Done, last.Refused));
        Assert.Equal(before.Select(Ended), after.Select(Ended));
        Assert.True(Assert.Single((await Monitor.GetLifeAsync(failed.Id, null, Cancellation))!.Runs).IsFinal);
        Assert.False((await EnqueueAsync(Entry(key: "k"))).IsDuplicate);
        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(cancelled, RetryFrom.LastStep, Cancellation));

        static (EntryState, string?, string?, DateTimeOffset?, int, int, string?) Ended(QueueEntry entry)
            => (entry.State, entry.Reason, entry.Error, entry.EndedAt, entry.Attempt, entry.Crashes, entry.Node);
    }

    [Fact]
    public async Task Undoing_a_retry_leaves_what_has_run_since()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        await FinishAsync(node, Outcome(ids[0], fence, OutcomeKind.Failed), Outcome(ids[1], fence, OutcomeKind.Failed));
        var operation = await StartedAsync(BulkAction.Retry, Unwell);
        await RunAsync(operation.Id);
        var batch = await ClaimAsync(node, limit: 1);
        var ran = Assert.Single(batch.Entries).Id;
        await FinishAsync(node, Outcome(ran, batch.Fence));

        var last = await UndoneAsync(operation.Id);

        Assert.Equal((1L, 1L), (last.Done, last.Refused));
        Assert.Equal(EntryState.Completed, await StateAsync(ran));
        Assert.Equal(EntryState.Failed, await StateAsync(ids.Single(id => id != ran)));
    }

    [Fact]
    public async Task An_undo_that_was_stopped_is_continued_by_another_one()
    {
        var ids = await GivenEntriesAsync(700);
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(operation.Id);
        var first = (await Operations.UndoAsync(operation.Id, Anna, Cancellation)).Operation!;
        await Operations.StepAsync(first.Id, Cancellation);
        Assert.Equal(OperationResult.WrongState, (await Operations.UndoAsync(operation.Id, Anna, Cancellation)).Result);
        await Operations.StopAsync(first.Id, Anna, Cancellation);
        Assert.Equal(EntryState.Cancelled, await StateAsync(ids[0]));

        var second = await Operations.UndoAsync(operation.Id, Anna, Cancellation);
        var last = (await RunAsync(second.Operation!.Id))[^1];

        Assert.Equal((OperationResult.Done, 200L), (second.Result, second.Operation.Expected.Value));
        Assert.Equal((OperationState.Ended, 200L, 0L), (last.State, last.Done, last.Refused));
        Assert.Equal([EntryState.Waiting, EntryState.Waiting], [await StateAsync(ids[0]), await StateAsync(ids[^1])]);
        Assert.Equal(second.Operation.Id, (await Operations.FindAsync(operation.Id, null, Cancellation))!.UndoneBy);
        Assert.Equal(OperationResult.WrongState, (await Operations.UndoAsync(operation.Id, Anna, Cancellation)).Result);
    }
}
