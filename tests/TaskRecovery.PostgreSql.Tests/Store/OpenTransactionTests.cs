using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Queue;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>A caller's transaction that is about to end an entry, and stays open: it keeps that entry and nothing else.</summary>
public sealed class OpenTransactionTests() : StoreTests(new PostgreSqlFixture())
{
    [Fact]
    public async Task A_sweep_takes_the_other_entries_of_the_claim()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 4);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Store.FinishInTransactionAsync(node.Id, Outcome(ids[1], fence), transaction, Cancellation);

            var report = await DieAndSweepAsync(node);
            var again = await SweepAsync();

            Assert.Equal([ids[0], ids[2], ids[3]], report.Items.Select(item => item.EntryId));
            Assert.Empty(again.Items);
            Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal(EntryState.Completed, await StateAsync(ids[1]));
        Assert.Empty((await SweepAsync()).Items);
        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));
    }

    [Fact]
    public async Task Its_own_entry_is_swept_once_it_has_rolled_back()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Store.FinishInTransactionAsync(node.Id, Outcome(ids[2], fence), transaction, Cancellation);
            await DieAndSweepAsync(node);
        }

        var report = await SweepAsync();

        Assert.Equal([ids[2]], report.Items.Select(item => item.EntryId));
        Assert.Equal(EntryState.Waiting, await StateAsync(ids[2]));
    }

    [Fact]
    public async Task An_entry_that_was_swept_cannot_end_in_a_transaction_although_its_claim_is_still_there()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var open = await connection.BeginTransactionAsync(Cancellation);
        await Store.FinishInTransactionAsync(node.Id, Outcome(ids[0], fence), open, Cancellation);
        await DieAndSweepAsync(node);

        await using var another = await Fixture.OpenConnectionAsync(Cancellation);
        await using var late = await another.BeginTransactionAsync(Cancellation);

        await Assert.ThrowsAsync<ClaimLostException>(
            async () => await Store.FinishInTransactionAsync(node.Id, Outcome(ids[1], fence), late, Cancellation));
        Assert.False(await Store.SaveStepAsync(node.Id, new ProgressKey(ids[1], null), fence, "late", Json("1"), Cancellation));
        Assert.Single(await TryFinishAsync(node, Outcome(ids[1], fence)));
    }

    [Fact]
    public async Task What_stayed_behind_is_no_crash_loop_because_it_is_alone_then()
    {
        var ids = await GivenEntriesAsync(2);
        for (var crash = 0; crash < MaxCrashes; crash++)
        {
            var dying = GivenNode();
            await ClaimAsync(dying);
            await DieAndSweepAsync(dying);
        }

        var node = GivenNode();
        var batch = await ClaimAsync(node, suspects: new SuspectAllowance(MaxCrashes, 1000, 1000));
        Assert.Equal(2, batch.Entries.Count);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Store.FinishInTransactionAsync(node.Id, Outcome(ids[0], batch.Fence), transaction, Cancellation);
            await DieAndSweepAsync(node);
        }

        await SweepAsync();

        Assert.Equal(EntryState.Waiting, await StateAsync(ids[0]));
    }

    [Fact]
    public async Task An_outcome_that_would_wait_for_it_is_found()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        RunOutcome[] outcomes = [.. ids.Select(id => Outcome(id, fence, OutcomeKind.Retried))];
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Store.FinishInTransactionAsync(node.Id, Outcome(ids[0], fence), transaction, Cancellation);

            Assert.Equal([outcomes[0]], await Store.FindBlockedAsync(outcomes, Cancellation));
        }

        Assert.Empty(await Store.FindBlockedAsync(outcomes, Cancellation));
    }

    [Fact]
    public async Task A_node_that_can_t_be_swept_keeps_no_other_node_from_being_swept()
    {
        var database = ((PostgreSqlFixture)Fixture).Inside;
        var held = await GivenClaimedAsync(GivenNode(), Entry(key: "locked"));
        Assert.True(await Store.CancelAsync(held.Id, Cancellation));
        var other = await GivenClaimedAsync(GivenNode());
        Die(held.Node);
        Die(other.Node);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RunAsync(connection, "select from unique_keys for update");
        database.PatienceForLocks = TimeSpan.FromMilliseconds(100);

        var report = await SweepAsync();

        Assert.Equal(other.Id, Assert.Single(report.Items).EntryId);
        var failure = Assert.IsType<StoreUnavailableException>(report.Failure);
        Assert.True(failure.IsLockTimeout);
        Assert.Contains($"the dead node '{held.Node.Name}'", failure.Message, StringComparison.Ordinal);
        database.PatienceForLocks = TimeSpan.FromMinutes(1);
        await transaction.CommitAsync(Cancellation);
        var late = await SweepAsync();
        Assert.Equal((held.Id, null), (Assert.Single(late.Items).EntryId, late.Failure));
    }

    [Fact]
    public async Task A_cancel_does_not_wait_for_it()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(), transaction, Cancellation);

        Assert.True(await Store.CancelAsync(held.Id, Cancellation));
    }

    [Fact]
    public async Task A_cancel_that_meets_a_put_back_ends_the_entry_although_it_would_run_much_later()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var key = Random.Shared.NextInt64();
        await using var gate = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await RunAsync(gate, $"""
            create function pass() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock({key}); return new; end $$;
            create trigger pass before insert on outcomes for each row execute function pass();
            select pg_advisory_lock({key});
            """);

        // The statement that puts the entry back has looked for a cancel request, and stops before it is committed.
        var finishing = Task.Run(() => FinishAsync(held, OutcomeKind.Snoozed, delay: TimeSpan.FromDays(1)), Cancellation);
        await UntilAsync(async () => await CountWaitingStatementsAsync(gate) == 1);
        var cancelling = Task.Run(async () => await Store.CancelAsync(held.Id, Cancellation), Cancellation);
        await UntilAsync(async () => cancelling.IsCompleted || await CountWaitingStatementsAsync(gate) == 2);
        await RunAsync(gate, $"select pg_advisory_unlock({key})");
        await Task.WhenAll(finishing, cancelling);

        Assert.Equal(EntryState.Cancelled, await StateAsync(held.Id));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task An_enqueue_that_waits_for_the_end_of_a_keys_holder_names_the_entry_that_took_the_key_then(int entries)
    {
        var held = await GivenClaimedAsync(GivenNode(), Entry(key: "once"));
        await using var watching = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(hasUniqueKey: true), transaction, Cancellation);
        var next = Assert.Single(await Store.EnqueueAsync([Entry(key: "once")], transaction, Cancellation));
        Assert.False(next.IsDuplicate);

        NewEntry[] late = [.. Enumerable.Range(0, entries).Select(static _ => Entry(key: "once"))];
        var enqueuing = Task.Run(async () => await Store.EnqueueAsync(late, null, Cancellation), Cancellation);
        await UntilAsync(async () => await CountWaitingStatementsAsync(watching) == 1);
        await transaction.CommitAsync(Cancellation);

        Assert.All(await enqueuing, result => Assert.Equal((next.Id, true), (result.Id, result.IsDuplicate)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_unique_key_that_it_has_taken_keeps_no_other_entry_of_a_process_waiting(bool commits)
    {
        var claimers = new LocalClaimers();
        var writer = new EntryWriter(Store, claimers, new ClaimWaker(claimers), TimeProvider.System);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var holder = Assert.Single(await Store.EnqueueAsync([Entry(key: "taken")], transaction, Cancellation));

        Task<EnqueueResult>[] waiting = [.. Enumerable.Range(0, 3).Select(_ => writer.WriteAsync(Entry(key: "taken"), Cancellation))];
        Task<EnqueueResult>[] others =
        [
            .. Enumerable.Range(0, 50).Select(_ => writer.WriteAsync(Entry(), Cancellation)),
            .. Enumerable.Range(0, 5).Select(number => writer.WriteAsync(Entry(key: $"free {number}"), Cancellation)),
        ];
        var stored = await Task.WhenAll(others).WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        Assert.All(waiting, static call => Assert.False(call.IsCompleted));
        await (commits ? transaction.CommitAsync(Cancellation) : transaction.RollbackAsync(Cancellation));
        var late = await Task.WhenAll(waiting);

        Assert.All(stored, static result => Assert.False(result.IsDuplicate));
        Assert.Equal(commits ? 3 : 2, late.Count(static result => result.IsDuplicate));
        Assert.Single(late.Select(static result => result.Id).Distinct());
        Assert.Equal(commits, late[0].Id == holder.Id);
    }

    [Fact]
    public async Task A_unique_key_that_it_is_about_to_free_keeps_no_other_entry_of_a_process_waiting()
    {
        var claimers = new LocalClaimers();
        var writer = new EntryWriter(Store, claimers, new ClaimWaker(claimers), TimeProvider.System);
        await using var watching = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        foreach (var key in new[] { "one", "two" })
        {
            var held = await GivenClaimedAsync(GivenNode(), Entry(key: key));
            await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(hasUniqueKey: true), transaction, Cancellation);
        }

        // One for each writer of batches: the first is seen waiting, so that the second is in another batch.
        List<Task<EnqueueResult>> waiting = [writer.WriteAsync(Entry(key: "one"), Cancellation)];
        await UntilAsync(async () => await CountWaitingStatementsAsync(watching) == 1);
        waiting.Add(writer.WriteAsync(Entry(key: "two"), Cancellation));
        Task<EnqueueResult>[] others = [writer.WriteAsync(Entry(), Cancellation), writer.WriteAsync(Entry(key: "free"), Cancellation)];
        await Task.WhenAll(others).WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        Assert.All(waiting, static call => Assert.False(call.IsCompleted));
        await transaction.CommitAsync(Cancellation);

        Assert.All(await Task.WhenAll(waiting), static result => Assert.False(result.IsDuplicate));
    }

    [Fact]
    public async Task A_holder_whose_end_was_rolled_back_is_named_as_long_as_it_holds_the_key()
    {
        var held = await GivenClaimedAsync(GivenNode(), Entry(key: "once"));
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Store.FinishInTransactionAsync(held.Node.Id, held.Outcome(hasUniqueKey: true), transaction, Cancellation);
        }

        for (var time = 0; time < 2; time++)
        {
            var late = await EnqueueAsync(Entry(key: "once"));
            Assert.Equal((held.Id, true), (late.Id, late.IsDuplicate));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_checkpoint_of_a_later_claim_is_not_written_over(bool ofTask)
    {
        var held = await GivenClaimedAsync(GivenNode());
        var key = new ProgressKey(held.Id, ofTask ? Guid.NewGuid() : null);
        await Store.SaveCheckpointAsync(held.Node.Id, key, held.Fence, Json("1"), Cancellation);
        await using (var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation))
        {
            await RunAsync(connection, "update checkpoints set fence = fence + 1, data = '2'");
        }

        Assert.False(await Store.SaveCheckpointAsync(held.Node.Id, key, held.Fence, Json("3"), Cancellation));
        SameJson("2", (await Store.LoadProgressAsync(key, Cancellation)).Checkpoint!.Value);
    }

    // No other test uses this database.
    private static async Task<long> CountWaitingStatementsAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'", connection);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!await condition())
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
