using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Who claims alone takes rows without locking them first; here others come in between.</summary>
public sealed class ClaimerTests : PostgreSqlStoreTests
{
    private const string Turn =
        "select pg_advisory_xact_lock(hashtext('\"taskrecovery\".waiting'), (select id from taskrecovery.queues where name = 'default'))";

    [Fact]
    public async Task While_another_claimer_has_its_turn_rows_that_are_locked_are_skipped()
    {
        var (store, claimer) = await GivenClaimerAsync();
        var entries = await EnqueueAsync(store, 3);
        await using var other = await BeginAsync(Turn, $"delete from taskrecovery.waiting where id = {entries[0]}");

        var batch = await claimer.ClaimAsync(10, default, Cancellation);

        Assert.Equal(entries[1..], batch.Entries.Select(entry => entry.Id));
        Assert.True(batch.IsContested);
    }

    [Fact]
    public async Task A_row_without_an_entry_is_claimed_beside_another_claimer_too()
    {
        var (store, claimer) = await GivenClaimerAsync();
        var entries = await EnqueueAsync(store, 1);
        await ExecuteAsync($"delete from taskrecovery.entries where id = {entries[0]}");
        await using var other = await BeginAsync(Turn);

        var batch = await claimer.ClaimAsync(10, default, Cancellation);

        var entry = Assert.Single(batch.Entries);
        Assert.Equal(entries[0], entry.Id);
        Assert.NotNull(entry.Problem);
        Assert.True(batch.IsContested);
    }

    [Fact]
    public async Task A_claim_that_meets_no_other_claimer_is_not_contested()
    {
        var (store, claimer) = await GivenClaimerAsync();
        await EnqueueAsync(store, 1);

        var batch = await claimer.ClaimAsync(10, default, Cancellation);
        var nothing = await claimer.ClaimAsync(10, default, Cancellation);

        Assert.Equal((1, 0), (batch.Entries.Count, nothing.Entries.Count));
        Assert.False(batch.IsContested || nothing.IsContested);
    }

    [Fact]
    public async Task What_another_takes_at_the_same_moment_is_not_claimed_and_the_rest_is()
    {
        var (store, claimer) = await GivenClaimerAsync();
        var entries = await EnqueueAsync(store, 5);

        var batch = await ClaimBesideAsync(
            claimer, limit: 4, $"delete from taskrecovery.waiting where id in ({entries[1]}, {entries[3]})",
            static other => other.CommitAsync());
        var next = await claimer.ClaimAsync(4, default, Cancellation);

        Assert.Equal([entries[0], entries[2]], batch.Entries.Select(entry => entry.Id));
        Assert.Equal(2L, await ScalarAsync<long>($"select cardinality(entries)::bigint from taskrecovery.claims where id = {batch.Fence}"));
        Assert.Equal(TimeSpan.Zero, batch.NextDue);
        Assert.Equal([entries[4]], next.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task Where_another_took_everything_it_went_for_it_claims_again_at_once()
    {
        var (store, claimer) = await GivenClaimerAsync();
        var entries = await EnqueueAsync(store, 4);

        var batch = await ClaimBesideAsync(
            claimer, limit: 2, $"delete from taskrecovery.waiting where id in ({entries[0]}, {entries[1]})",
            static other => other.CommitAsync());

        Assert.Equal(entries[2..], batch.Entries.Select(entry => entry.Id));
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.claims"));
    }

    [Fact]
    public async Task After_a_wait_that_was_too_long_the_row_is_skipped()
    {
        // The claimer sees no time pass between its claims, and only the claim that waits has a short limit.
        var database = Open();
        var (store, claimer) = await GivenClaimerAsync(database, new StoppedClock());
        var entries = await EnqueueAsync(store, 4);
        Assert.Single((await claimer.ClaimAsync(1, default, Cancellation)).Entries);
        await using var other = await BeginAsync($"delete from taskrecovery.waiting where id = {entries[2]}");
        var limit = database.CommandTimeout;
        database.CommandTimeout = 1;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => claimer.ClaimAsync(10, default, Cancellation).AsTask());
        database.CommandTimeout = limit;
        await UntilNoStatementRunsAsync();

        var batch = await claimer.ClaimAsync(10, default, Cancellation);

        Assert.Equal([entries[1], entries[3]], batch.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task What_another_releases_is_claimed()
    {
        var (store, claimer) = await GivenClaimerAsync();
        var entries = await EnqueueAsync(store, 3);

        var batch = await ClaimBesideAsync(
            claimer, limit: 10, $"delete from taskrecovery.waiting where id = {entries[1]}", static other => other.RollbackAsync());

        Assert.Equal(entries, batch.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_cancel_leaves_what_a_claim_has_in_hand_to_the_claim()
    {
        var (store, claimer) = await GivenClaimerAsync();
        var entries = await EnqueueAsync(store, 1);
        await using var other = await BeginAsync($"select 1 from taskrecovery.waiting where id = {entries[0]} for update");

        var stored = await store.CancelAsync(entries[0], Cancellation);
        await other.RollbackAsync();
        var batch = await claimer.ClaimAsync(1, default, Cancellation);

        Assert.True(stored);
        Assert.True(Assert.Single(batch.Entries).CancelRequested);
    }

    private async Task<(PostgreSqlQueueStore Store, IQueueClaimer Claimer)> GivenClaimerAsync(
        PostgreSqlDatabase? database = null, TimeProvider? time = null)
    {
        var store = await OpenStoreAsync(database, time);
        var node = Keep(store.OpenNodeSession());
        var identity = Identity();
        node.Register(identity);
        return (store, store.CreateClaimer(identity.Id, "default", ["test"]));
    }

    private static async Task<long[]> EnqueueAsync(PostgreSqlQueueStore store, int count)
        => [.. (await store.EnqueueAsync([.. Enumerable.Range(0, count).Select(_ => Entry())], null, Cancellation))
            .Select(result => result.Id)];

    private async Task<NpgsqlTransaction> BeginAsync(params string[] statements)
    {
        var connection = Keep(await ConnectAsync());
        var transaction = await connection.BeginTransactionAsync(Cancellation);
        foreach (var statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection, transaction);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        return transaction;
    }

    // The driver has asked the server to end the statement that it gave up. Until the server has, its locks are held.
    private async Task UntilNoStatementRunsAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await ScalarAsync<long>("""
            select count(case when wait_event_type = 'Lock' then pg_terminate_backend(pid) else true end) from pg_stat_activity
            where datname = current_database() and state = 'active' and backend_type = 'client backend' and pid <> pg_backend_pid()
            """) > 0)
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    /// <summary>Claims while another has changed something, who ends when the claim waits for it.</summary>
    private async Task<ClaimBatch> ClaimBesideAsync(IQueueClaimer claimer, int limit, string statement, Func<NpgsqlTransaction, Task> end)
    {
        await using var other = await BeginAsync(statement);
        var claim = claimer.ClaimAsync(limit, default, Cancellation).AsTask();
        await UntilOneWaitsForALockAsync();
        await end(other);
        return await claim;
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override long GetTimestamp() => 1;
    }
}
