using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance.Monitoring;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Steps of bulk operations during which another transaction changes the same entries.</summary>
public sealed class OperationRaceTests() : OperationTests(new PostgreSqlFixture())
{
    private new PostgreSqlFixture Fixture => (PostgreSqlFixture)base.Fixture;

    [Fact]
    public async Task An_entry_that_is_claimed_after_it_was_found_waiting_is_not_asked_to_stop()
    {
        var ids = await GivenEntriesAsync(2);
        var operation = await StartedAsync(BulkAction.Cancel, new EntryQuery { States = [EntryState.Waiting] });
        await using var gate = await StatementGate.CloseAsync(Fixture, "nodes", "delete", Cancellation);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RunAsync(connection, $"select id from entries where id = {ids[1]} for update");

        // The step has found both entries, and waits for the second one, whose lock does not keep a node from claiming the first one.
        var stepping = Task.Run(async () => await Operations.StepAsync(operation.Id, Cancellation), Cancellation);
        await gate.UntilWaitingAsync(1);
        Assert.Equal(ids[0], Assert.Single((await ClaimAsync(GivenNode(), limit: 1)).Entries).Id);
        await transaction.CommitAsync(Cancellation);
        var step = await stepping;

        Assert.Equal((1L, 1L), (step.Operation!.Done, step.Operation.Refused));
        Assert.Equal(OperatorResult.Changed, await ResultAsync(operation.Id, ids[0]));
        var claimed = await FindAsync(ids[0]);
        Assert.Equal((EntryState.Running, false), (claimed.State, claimed.CancelRequested));
        Assert.Equal(EntryState.Cancelled, await StateAsync(ids[1]));
    }

    [Fact]
    public async Task An_entry_that_no_longer_matches_is_not_retried()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        await FinishAsync(node, Outcome(ids[0], fence, OutcomeKind.Failed), Outcome(ids[1], fence, OutcomeKind.Failed));
        var operation = await StartedAsync(BulkAction.Retry, new EntryQuery { States = [EntryState.Failed] });
        await using var gate = await StatementGate.CloseAsync(Fixture, "nodes", "delete", Cancellation);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RunAsync(connection, $"update outcomes set kind = 2, reason = 'cancel_requested' where entry = {ids[0]}");

        var stepping = Task.Run(async () => await Operations.StepAsync(operation.Id, Cancellation), Cancellation);
        await gate.UntilWaitingAsync(1);
        await transaction.CommitAsync(Cancellation);
        var step = await stepping;

        Assert.Equal((1L, 1L), (step.Operation!.Done, step.Operation.Refused));
        Assert.Equal(OperatorResult.Changed, await ResultAsync(operation.Id, ids[0]));
        Assert.Equal([EntryState.Cancelled, EntryState.Waiting], [await StateAsync(ids[0]), await StateAsync(ids[1])]);
    }

    [Fact]
    public async Task Two_cancellations_at_once_leave_no_request_for_an_undo_to_meet()
    {
        var id = await GivenEntryAsync();
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await using var gate = await StatementGate.CloseAsync(Fixture, "outcomes", "insert", Cancellation);

        // The step is about to end the entry, and the second cancellation waits for it.
        var stepping = Task.Run(async () => await Operations.StepAsync(operation.Id, Cancellation), Cancellation);
        await gate.UntilWaitingAsync(1);
        var cancelling = Task.Run(async () => await Store.CancelAsync(id, Anna, Cancellation), Cancellation);
        await gate.UntilWaitingAsync(2);
        await gate.OpenAsync();
        await stepping;

        Assert.Equal(OperatorResult.AlreadyEnded, await cancelling);
        Assert.Equal(1, (await UndoneAsync(operation.Id)).Done);
        Assert.False((await FindAsync(id)).CancelRequested);
        Assert.False(Assert.Single((await ClaimAsync(GivenNode())).Entries).CancelRequested);
    }

    [Fact]
    public async Task A_request_that_was_left_behind_does_not_cancel_a_restored_entry()
    {
        var id = await GivenEntryAsync();
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(operation.Id);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await RunAsync(connection, $"insert into cancellations (entry) values ({id})");

        await UndoneAsync(operation.Id);

        Assert.False((await FindAsync(id)).CancelRequested);
    }

    [Fact]
    public async Task A_retried_entry_that_is_being_put_back_has_run_and_is_not_cancelled_again()
    {
        var node = GivenNode();
        var failed = await GivenClaimedAsync(node);
        await FinishAsync(failed, OutcomeKind.Failed);
        var operation = await StartedAsync(BulkAction.Retry, Unwell);
        await RunAsync(operation.Id);
        var again = await ClaimOneAsync(node, failed.Id);
        await using var gate = await StatementGate.CloseAsync(Fixture, "outcomes", "insert", Cancellation);

        var finishing = Task.Run(() => FinishAsync(again, OutcomeKind.Retried), Cancellation);
        await gate.UntilWaitingAsync(1);
        var undoing = Task.Run(() => UndoneAsync(operation.Id), Cancellation);
        await gate.UntilWaitingAsync(2);
        await gate.OpenAsync();
        await Task.WhenAll(finishing, undoing);

        Assert.Equal(OperatorResult.Changed, await ResultAsync((await undoing).Id, failed.Id));
        Assert.Equal(EntryState.Waiting, await StateAsync(failed.Id));
    }

    [Fact]
    public async Task An_old_operation_is_removed_in_parts()
    {
        await GivenEntryAsync();
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(operation.Id);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await RunAsync(
            connection,
            $"insert into operation_entries (operation, entry, result) select {operation.Id}, n, 0 from generate_series(1000, 25000) n");
        await ShiftTimeAsync(TimeSpan.FromDays(31));

        await Operations.PurgeAsync(Cancellation);

        Assert.Null(await Operations.FindAsync(operation.Id, null, Cancellation));
        Assert.Empty((await Operations.ListEntriesAsync(new OperationEntryQuery { OperationId = operation.Id }, Cancellation)).Entries);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_undo_restores_all_other_entries_and_holds_none_while_it_waits_for_a_unique_key(bool wasRunning)
    {
        var held = wasRunning ? await GivenClaimedAsync(GivenNode(), Entry(key: "k")) : null;
        var id = held?.Id ?? await GivenEntryAsync(Entry(key: "k"));
        var plain = await GivenEntryAsync();
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(operation.Id);
        if (held is not null)
        {
            await FinishAsync(held, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested, hasUniqueKey: true);
        }

        Assert.Equal([EntryState.Cancelled, EntryState.Cancelled], [await StateAsync(id), await StateAsync(plain)]);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await Store.EnqueueAsync([Entry(key: "k")], transaction, Cancellation);
        var undo = (await Operations.UndoAsync(operation.Id, Anna, Cancellation)).Operation!;
        ((PostgreSqlOperationStore)Operations).PatienceForLocks = TimeSpan.FromMilliseconds(100);

        var first = await Operations.StepAsync(undo.Id, Cancellation);
        var second = await Operations.StepAsync(undo.Id, Cancellation);

        Assert.Equal((true, false, 1L), (first.Worked, first.WaitsForLock, first.Operation!.Done));
        Assert.Equal((false, true, 1L), (second.Worked, second.WaitsForLock, second.Operation!.Done));
        Assert.Equal(OperationState.Running, second.Operation.State);
        Assert.Equal(EntryState.Waiting, await StateAsync(plain));
        await using (var other = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation))
        {
            // As another process that does a step.
            await RunAsync(other, $"begin; select from operations where id = {undo.Id} for update");
            Assert.False((await Operations.StepAsync(undo.Id, Cancellation)).Worked);
        }

        Assert.Equal(1, ((PostgreSqlOperationStore)Operations).SizeOf(undo.Id));
        await transaction.RollbackAsync(Cancellation);
        ((PostgreSqlOperationStore)Operations).WithPatience();
        Assert.Equal(2L, (await RunAsync(undo.Id))[^1].Done);
        Assert.Equal([EntryState.Waiting, EntryState.Waiting], [await StateAsync(id), await StateAsync(plain)]);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
