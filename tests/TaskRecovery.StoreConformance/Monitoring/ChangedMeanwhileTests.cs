using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>Bulk operations on entries that something else changes too: only what the operator saw is changed, and only what the operation
/// did is undone.</summary>
public abstract class ChangedMeanwhileTests(StoreFixture fixture) : OperationTests(fixture)
{
    [Fact]
    public async Task The_cancel_request_of_a_run_that_has_not_stopped_is_withdrawn()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var operation = await CancelledAsync();

        var undo = await UndoneAsync(operation.Id);

        Assert.Equal((1L, 0L), (undo.Done, undo.Refused));
        Assert.False((await FindAsync(held.Id)).CancelRequested);
        await FinishAsync(held, OutcomeKind.Retried);
        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
    }

    [Fact]
    public async Task A_run_that_stops_because_of_a_request_that_was_withdrawn_runs_again()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Entry(key: "k"));
        await UndoneAsync((await CancelledAsync()).Id);

        await FinishAsync(held, OutcomeKind.Cancelled, error: "stopped", reason: EndReasons.CancelRequested, hasUniqueKey: true);
        await FinishAsync(held, OutcomeKind.Cancelled, error: "stopped", reason: EndReasons.CancelRequested, hasUniqueKey: true);

        var entry = await FindAsync(held.Id);
        Assert.Equal((EntryState.Waiting, 0, 0, "stopped"), (entry.State, entry.Attempt, entry.Crashes, entry.Error));
        Assert.True((await EnqueueAsync(Entry(key: "k"))).IsDuplicate);
        Assert.Equal(EndReasons.CancelWithdrawn, Assert.Single((await Monitor.GetLifeAsync(held.Id, null, Cancellation))!.Runs).Reason);
        Assert.Equal(1, Assert.Single((await ClaimAsync(node)).Entries).Attempt);
    }

    [Fact]
    public async Task A_run_that_stopped_because_of_the_operation_runs_again()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Entry(key: "k"));
        var retried = await GivenClaimedAsync(node);
        var operation = await CancelledAsync();
        await FinishAsync(held, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested, hasUniqueKey: true);
        await FinishAsync(retried, OutcomeKind.Retried);

        var undo = await UndoneAsync(operation.Id);

        Assert.Equal((2L, 0L), (undo.Done, undo.Refused));
        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
        Assert.Equal(EntryState.Waiting, await StateAsync(retried.Id));
        Assert.True((await EnqueueAsync(Entry(key: "k"))).IsDuplicate);
        Assert.Equal(2, (await ClaimAsync(node)).Entries.Count(static entry => !entry.CancelRequested));
    }

    [Fact]
    public async Task A_run_that_ended_by_itself_stays_as_it_ended()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        var operation = await CancelledAsync();
        await FinishAsync(node, Outcome(ids[0], fence, OutcomeKind.Failed), Outcome(ids[1], fence));

        var undo = await UndoneAsync(operation.Id);

        Assert.Equal((0L, 2L), (undo.Done, undo.Refused));
        Assert.Equal([EntryState.Failed, EntryState.Completed], [await StateAsync(ids[0]), await StateAsync(ids[1])]);
        Assert.Equal(OperatorResult.Changed, await ResultAsync(undo.Id, ids[0]));
    }

    [Fact]
    public async Task What_another_operator_cancelled_on_purpose_stays_cancelled()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var operation = await CancelledAsync();
        await FinishAsync(held, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested);
        await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation);
        await Store.CancelAsync(held.Id, Cancellation);

        var undo = await UndoneAsync(operation.Id);

        Assert.Equal((0L, 1L), (undo.Done, undo.Refused));
        Assert.Equal(OperatorResult.Changed, await ResultAsync(undo.Id, held.Id));
        Assert.Equal(EntryState.Cancelled, await StateAsync(held.Id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_that_another_operator_asked_to_stop_too_stays_so(bool hasStopped)
    {
        var held = await GivenClaimedAsync(GivenNode());
        var other = await GivenClaimedAsync(GivenNode());
        var operation = await CancelledAsync();
        Assert.Equal(OperatorResult.Done, await Store.CancelAsync(held.Id, new AuditInfo("ben"), Cancellation));
        if (hasStopped)
        {
            await FinishAsync(held, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested);
        }

        var undo = await UndoneAsync(operation.Id);

        Assert.Equal((1L, 1L), (undo.Done, undo.Refused));
        Assert.Equal(OperatorResult.Changed, await ResultAsync(undo.Id, held.Id));
        var left = await FindAsync(held.Id);
        Assert.Equal(hasStopped ? EntryState.Cancelled : EntryState.Running, left.State);
        Assert.True(hasStopped || left.CancelRequested);
        Assert.False((await FindAsync(other.Id)).CancelRequested);
    }

    [Fact]
    public async Task A_request_is_that_of_the_last_operation_that_made_it()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var first = await CancelledAsync();
        var second = await CancelledAsync();

        var undoOfFirst = await UndoneAsync(first.Id);
        var isLeft = (await FindAsync(held.Id)).CancelRequested;
        var undoOfSecond = await UndoneAsync(second.Id);

        Assert.Equal((0L, 1L, true), (undoOfFirst.Done, undoOfFirst.Refused, isLeft));
        Assert.Equal((1L, 0L), (undoOfSecond.Done, undoOfSecond.Refused));
        Assert.False((await FindAsync(held.Id)).CancelRequested);
    }

    [Fact]
    public async Task The_request_to_stop_a_later_run_is_not_withdrawn()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var operation = await CancelledAsync();
        await FinishAsync(held, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested);
        await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation);
        await ClaimOneAsync(GivenNode(), held.Id);
        await Store.CancelAsync(held.Id, Cancellation);

        var undo = await UndoneAsync(operation.Id);

        Assert.Equal((0L, 1L), (undo.Done, undo.Refused));
        Assert.True((await FindAsync(held.Id)).CancelRequested);
    }

    [Fact]
    public async Task What_waited_and_was_run_since_by_another_operator_is_not_put_back()
    {
        var id = await GivenEntryAsync();
        var operation = await CancelledAsync();
        await Store.RetryAsync(id, RetryFrom.LastStep, Cancellation);
        await FinishAsync(await ClaimOneAsync(GivenNode(), id), OutcomeKind.Failed);

        var undo = await UndoneAsync(operation.Id);

        Assert.Equal(OperatorResult.Changed, await ResultAsync(undo.Id, id));
        Assert.Equal(EntryState.Failed, await StateAsync(id));
    }

    [Fact]
    public async Task Entries_that_were_stored_after_the_highest_id_was_read_are_not_changed()
    {
        var counted = await GivenEntryAsync();
        var last = await Operations.FindLastEntryAsync(Cancellation);
        var later = await GivenEntryAsync();
        var byQuery = await Operations.PrepareAsync(
            new NewOperation { Action = BulkAction.Cancel, Query = Waiting, UpToId = last, Expected = new Count(1) }, Anna, Cancellation);

        await Operations.StartAsync(byQuery.Id, Anna, TimeSpan.FromMinutes(10), Cancellation);
        await RunAsync(byQuery.Id);

        Assert.Equal((counted, counted), (last, byQuery.UpToId));
        Assert.Equal([EntryState.Cancelled, EntryState.Waiting], [await StateAsync(counted), await StateAsync(later)]);
    }

    [Fact]
    public async Task An_id_of_an_entry_that_is_stored_later_is_not_changed()
    {
        var first = await GivenEntryAsync();
        var operation = await StartedAsync(BulkAction.Cancel, ids: [first, first + 1]);
        var later = await GivenEntryAsync();
        Assert.Equal(first + 1, later);

        var last = (await RunAsync(operation.Id))[^1];

        Assert.Equal((1L, 1L), (last.Done, last.Refused));
        Assert.Equal(OperatorResult.NotFound, await ResultAsync(operation.Id, later));
        Assert.Equal(EntryState.Waiting, await StateAsync(later));
        Assert.Equal(1L, (await UndoneAsync(operation.Id)).Done);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_entry_that_ended_twice_is_retried_once_and_stops_no_operation(bool byQuery)
    {
        var node = GivenNode();
        var twice = await GivenClaimedAsync(node);
        await FinishAsync(twice, OutcomeKind.Failed);
        await Fixture.CorruptAsync(Corruption.EndedAndWaiting, twice.Id, Cancellation);
        await FinishAsync(await ClaimOneAsync(node, twice.Id), OutcomeKind.Failed);
        var other = await GivenClaimedAsync(node);
        await FinishAsync(other, OutcomeKind.Failed);
        long[] ids = [twice.Id, other.Id];

        var operation = await StartedAsync(BulkAction.Retry, byQuery ? Unwell : null, byQuery ? null : ids);
        var last = (await RunAsync(operation.Id))[^1];

        Assert.Equal((2L, 0L), (last.Done, last.Refused));
        Assert.Equal(ids, (await ClaimAsync(node)).Entries.Select(static entry => entry.Id).Order());
    }

    [Fact]
    public async Task An_operation_is_kept_until_its_undo_has_ended()
    {
        var ids = await GivenEntriesAsync(700);
        var operation = await CancelledAsync();
        var undo = (await Operations.UndoAsync(operation.Id, Anna, Cancellation)).Operation!;
        await Operations.StepAsync(undo.Id, Cancellation);
        await ShiftTimeAsync(OperationAge);

        await Operations.PurgeAsync(Cancellation);
        var last = (await RunAsync(undo.Id))[^1];

        Assert.Equal((700L, 0L), (last.Done, last.Refused));
        Assert.Equal(EntryState.Waiting, await StateAsync(ids[0]));
        await Operations.PurgeAsync(Cancellation);
        Assert.Null(await Operations.FindAsync(operation.Id, null, Cancellation));
        Assert.NotNull(await Operations.FindAsync(undo.Id, null, Cancellation));
    }

    [Fact]
    public async Task An_operation_that_may_be_removed_at_any_moment_is_not_undone()
    {
        await GivenEntryAsync();
        var operation = await CancelledAsync();
        await ShiftTimeAsync(OperationAge);

        Assert.Equal(OperationResult.WrongState, (await Operations.UndoAsync(operation.Id, Anna, Cancellation)).Result);
    }

    // Longer than operations are kept.
    private static readonly TimeSpan OperationAge = TimeSpan.FromDays(31);

    private async Task<BulkOperation> CancelledAsync()
    {
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(operation.Id);
        return operation;
    }
}
