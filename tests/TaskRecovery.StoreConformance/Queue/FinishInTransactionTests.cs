using System.Data.Common;
using System.Globalization;
using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests runs that end inside the worker's own transaction: effects and outcome are committed together, or neither is.</summary>
public abstract class FinishInTransactionTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_commit_stores_the_effect_and_the_outcome()
    {
        await using var connection = await GivenTableAsync();
        var held = await GivenClaimedAsync(GivenNode());
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await EffectAsync(transaction);
            await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(result: "1"), transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal(1, await EffectsAsync(connection));
        Assert.Equal(EntryState.Completed, await StateAsync(held.Id));
        SameJson("1", (await FindAsync(held.Id)).Result);
    }

    [Fact]
    public async Task A_rollback_stores_neither()
    {
        await using var connection = await GivenTableAsync();
        var held = await GivenClaimedAsync(GivenNode());
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await EffectAsync(transaction);
            await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(), transaction, Cancellation);
            await transaction.RollbackAsync(Cancellation);
        }

        Assert.Equal(0, await EffectsAsync(connection));
        Assert.Equal(EntryState.Running, await StateAsync(held.Id));
        await FinishAsync(held, OutcomeKind.Retried, error: "boom");
        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
    }

    [Fact]
    public async Task A_lost_claim_makes_the_transaction_unable_to_commit()
    {
        await using var connection = await GivenTableAsync();
        var held = await GivenClaimedAsync(GivenNode());
        await DieAndSweepAsync(held.Node);
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await EffectAsync(transaction);
            var lost = await Assert.ThrowsAsync<ClaimLostException>(
                async () => await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(), transaction, Cancellation));
            Assert.Equal((held.Id, held.Fence), (lost.EntryId, lost.Fence));
            await Record.ExceptionAsync(async () => await EffectAsync(transaction));
            await Record.ExceptionAsync(() => transaction.CommitAsync(Cancellation));
        }

        Assert.Equal(0, await EffectsAsync(connection));
        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
    }

    [Fact]
    public async Task A_completion_that_was_committed_is_not_committed_again()
    {
        await using var connection = await GivenTableAsync();
        var held = await GivenClaimedAsync(GivenNode());
        await using (var first = await connection.BeginTransactionAsync(Cancellation))
        {
            await EffectAsync(first);
            await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(), first, Cancellation);
            await first.CommitAsync(Cancellation);
        }

        // A retrying execution strategy does this if the answer of the commit was lost.
        await using (var second = await connection.BeginTransactionAsync(Cancellation))
        {
            await EffectAsync(second);
            await Assert.ThrowsAsync<ClaimLostException>(
                async () => await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(), second, Cancellation));
            await Record.ExceptionAsync(() => second.CommitAsync(Cancellation));
        }

        Assert.Equal(1, await EffectsAsync(connection));
        Assert.Equal(EntryState.Completed, await StateAsync(held.Id));
    }

    [Fact]
    public async Task An_entry_that_has_its_outcome_cannot_end_in_a_transaction()
    {
        await using var connection = await GivenTableAsync();
        var held = await GivenClaimedAsync(GivenNode());
        await FinishAsync(held, OutcomeKind.Retried, error: "boom", delay: TimeSpan.FromHours(1));
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await EffectAsync(transaction);
            await Assert.ThrowsAsync<ClaimLostException>(
                async () => await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(), transaction, Cancellation));
            await Record.ExceptionAsync(() => transaction.CommitAsync(Cancellation));
        }

        Assert.Equal(0, await EffectsAsync(connection));
        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
    }

    [Fact]
    public async Task The_unique_key_is_free_when_the_transaction_has_committed()
    {
        await using var connection = await GivenTableAsync();
        var held = await GivenClaimedAsync(GivenNode(), Entry(key: "key"));
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(hasUniqueKey: true), transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        Assert.False((await EnqueueAsync(Entry(key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task The_engines_own_flush_of_the_same_end_is_taken_as_its_own()
    {
        await using var connection = await GivenTableAsync();
        var held = await GivenClaimedAsync(GivenNode());
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(), transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        await FinishAsync(held);
    }

    [Fact]
    public async Task Effect_follow_up_entry_and_outcome_commit_together()
    {
        await using var connection = await GivenTableAsync();
        var held = await GivenClaimedAsync(GivenNode());
        long next;
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await EffectAsync(transaction);
            next = (await Store.EnqueueAsync([Entry("next")], transaction, Cancellation))[0].Id;
            await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(), transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal(EntryState.Completed, await StateAsync(held.Id));
        Assert.Equal(EntryState.Waiting, await StateAsync(next));
        Assert.Equal(1, await EffectsAsync(connection));
    }

    [Theory]
    [InlineData("committed")]
    [InlineData("rolled back")]
    [InlineData("disposed")]
    public async Task A_transaction_that_has_ended_is_refused_and_the_entry_still_runs(string end)
    {
        var held = await GivenClaimedAsync(GivenNode());
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await GivenEndedTransactionAsync(connection, end);

        await Assert.ThrowsAsync<ArgumentException>(
            async () => await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(), transaction, Cancellation));

        Assert.Equal(EntryState.Running, await StateAsync(held.Id));
        await FinishAsync(held, OutcomeKind.Retried, error: "boom");
        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
    }

    private async Task<DbConnection> GivenTableAsync()
    {
        var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = "create table effects (n integer not null)";
        await command.ExecuteNonQueryAsync(Cancellation);
        return connection;
    }

    private static async Task EffectAsync(DbTransaction transaction)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "insert into effects (n) values (1)";
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<long> EffectsAsync(DbConnection connection)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "select count(*) from effects";
        return Convert.ToInt64(await command.ExecuteScalarAsync(Cancellation), CultureInfo.InvariantCulture);
    }
}
