using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.StoreConformance.Monitoring;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Cancellations that are requested or withdrawn while a sweep or a release judges the same entries.</summary>
public sealed class CancelRaceTests() : OperationTests(new PostgreSqlFixture())
{
    private new PostgreSqlFixture Fixture => (PostgreSqlFixture)base.Fixture;

    [Fact]
    public async Task An_undo_beside_the_sweep_that_ends_the_entry_puts_it_back()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        var operation = await StartedAsync(BulkAction.Cancel, ids: [held.Id]);
        await RunAsync(operation.Id);
        Assert.True((await FindAsync(held.Id)).CancelRequested);
        Die(node);
        await using var gate = await StatementGate.CloseAsync(Fixture, "outcomes", "insert", Cancellation);

        // The sweep has found the request, and is about to end the entry.
        var sweeping = Task.Run(() => SweepAsync(), Cancellation);
        await gate.UntilWaitingAsync(1);
        var undoing = Task.Run(() => UndoneAsync(operation.Id), Cancellation);
        await gate.UntilWaitingAsync(2, orEnded: undoing);
        await gate.OpenAsync();
        await sweeping;
        var undo = await undoing;

        Assert.Equal((1L, 0L), (undo.Done, undo.Refused));
        var entry = await FindAsync(held.Id);
        Assert.Equal((EntryState.Waiting, false), (entry.State, entry.CancelRequested));
    }

    [Fact]
    public async Task An_entry_that_a_sweep_puts_back_while_its_cancellation_is_stored_is_cancelled_by_the_next_sweep()
    {
        var node = GivenNode();
        var entry = Entry(key: "held");
        await GivenEntryAsync(entry);
        var held = Assert.Single((await ClaimAsync(node)).Entries);
        Die(node);
        await using var gate = await StatementGate.CloseAsync(Fixture, "events", "insert", Cancellation);

        // The request is stored and not committed, so that the sweep does not see it. Both stop before they store their event.
        var cancelling = Task.Run(async () => await Store.CancelAsync(held.Id, Anna, Cancellation), Cancellation);
        await gate.UntilWaitingAsync(1);
        var sweeping = Task.Run(() => SweepAsync(), Cancellation);
        await gate.UntilWaitingAsync(2);
        await gate.OpenAsync();
        Assert.Equal(OperatorResult.Done, await cancelling);
        Assert.Equal(RecoveryAction.Recovered, Assert.Single((await sweeping).Items).Action);

        await SweepAsync();

        Assert.Equal(EntryState.Cancelled, await StateAsync(held.Id));
        Assert.False((await EnqueueAsync(entry)).IsDuplicate);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_entry_that_a_sweep_puts_back_while_a_bulk_operation_cancels_it_is_put_back_by_the_undo(bool hasEnded)
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        var operation = await StartedAsync(BulkAction.Cancel, ids: [held.Id]);
        Die(node);
        await using var gate = await StatementGate.CloseAsync(Fixture, "operation_entries", "insert", Cancellation);

        // The request is stored and not committed, so that the sweep does not see it.
        var stepping = Task.Run(() => RunAsync(operation.Id), Cancellation);
        await gate.UntilWaitingAsync(1);
        Assert.Equal(RecoveryAction.Recovered, Assert.Single((await SweepAsync()).Items).Action);
        await gate.OpenAsync();
        await stepping;
        if (hasEnded)
        {
            await SweepAsync();
            Assert.Equal(EntryState.Cancelled, await StateAsync(held.Id));
        }

        var undo = await UndoneAsync(operation.Id);

        Assert.Equal((1L, 0L), (undo.Done, undo.Refused));
        var entry = await FindAsync(held.Id);
        Assert.Equal((EntryState.Waiting, false), (entry.State, entry.CancelRequested));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_entry_whose_request_is_being_changed_stays_in_its_claim_until_the_next_time(bool isDead)
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        Assert.Equal(OperatorResult.Done, await Store.CancelAsync(ids[1], Anna, Cancellation));
        if (isDead)
        {
            Die(node);
        }

        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var locking = new NpgsqlCommand($"select id from entries where id = {ids[1]} for no key update", connection);
        await locking.ExecuteNonQueryAsync(Cancellation);

        await RecoverAsync();
        Assert.Equal(
            [EntryState.Waiting, EntryState.Running, EntryState.Waiting],
            [await StateAsync(ids[0]), await StateAsync(ids[1]), await StateAsync(ids[2])]);
        Assert.Equal([fence], await Store.ListClaimsAsync(node.Id, Cancellation));

        await transaction.CommitAsync(Cancellation);
        await RecoverAsync();
        Assert.Equal(EntryState.Cancelled, await StateAsync(ids[1]));
        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));

        async Task RecoverAsync()
        {
            if (isDead)
            {
                await SweepAsync();
            }
            else
            {
                await Store.ReleaseClaimsAsync(node.Id, [fence], Cancellation);
            }
        }
    }
}
