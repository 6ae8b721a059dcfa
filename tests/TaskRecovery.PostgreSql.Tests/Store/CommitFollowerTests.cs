using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>What became of a caller's transaction, if the answer to its commit was lost.</summary>
public sealed class CommitFollowerTests : PostgreSqlStoreTests
{
    // The identifiers are those of the whole server: other tests begin fewer transactions meanwhile.
    private const int FarAhead = 1_000_000;
    private const int Ahead = 1_000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transaction_counts_as_committed_or_not_only_after_its_end(bool commits)
    {
        var store = await OpenStoreAsync();
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var entry = (await store.EnqueueAsync([Entry()], transaction, Cancellation))[0];
        var ask = store.FollowCommit(transaction, entry.Id);
        Assert.NotNull(ask);

        var during = await ask(Cancellation);
        await (commits ? transaction.CommitAsync(Cancellation) : transaction.RollbackAsync(Cancellation));

        Assert.Null(during);
        Assert.Equal(commits, await ask(Cancellation));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public async Task Another_entry_that_has_the_id_of_a_lost_one_is_not_taken_for_it(int count, bool hasKeys)
    {
        NewEntry[] entries = [.. Enumerable.Range(1, count).Select(number => Entry(uniqueKey: hasKeys ? $"{number}" : null))];
        var store = await OpenStoreAsync();
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var lost = await store.EnqueueAsync(entries, transaction, Cancellation);
        var askForLost = store.FollowCommit(transaction, lost[0].Id);
        Assert.NotNull(askForLost);
        await transaction.RollbackAsync(Cancellation);

        // As on a promoted standby that has not received the transaction: the sequence assigns the ids again.
        await ExecuteAsync($"select setval('taskrecovery.entries_id_seq', {lost[0].Id}, false)");
        await using var next = await connection.BeginTransactionAsync(Cancellation);
        var others = await store.EnqueueAsync(entries, next, Cancellation);
        var ask = store.FollowCommit(next, others[0].Id);
        Assert.NotNull(ask);
        await next.CommitAsync(Cancellation);

        Assert.Equal(lost, others);
        Assert.True(await ask(Cancellation));
        Assert.False(await askForLost(Cancellation));
    }

    [Fact]
    public async Task The_entries_of_each_call_in_a_transaction_tell_that_it_is_committed()
    {
        var store = await OpenStoreAsync();
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var first = (await store.EnqueueAsync([Entry()], transaction, Cancellation))[0];
        var second = await store.EnqueueAsync([Entry(), Entry(uniqueKey: "key")], transaction, Cancellation);

        Func<CancellationToken, ValueTask<bool?>>?[] asks =
            [.. second.Prepend(first).Select(entry => store.FollowCommit(transaction, entry.Id))];
        await transaction.CommitAsync(Cancellation);

        foreach (var ask in asks)
        {
            Assert.NotNull(ask);
            Assert.True(await ask(Cancellation));
        }
    }

    [Fact]
    public async Task A_transaction_that_the_server_has_lost_is_not_committed_once_another_one_has_its_id()
    {
        var database = Open();
        await OpenStoreAsync(database);
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var command = new NpgsqlCommand("select pg_current_xact_id()", connection);
        var current = (ulong)(await command.ExecuteScalarAsync(Cancellation))!;
        var askForUnassigned = Follow(FarAhead);
        var ask = Follow(Ahead);

        var unassigned = await askForUnassigned(Cancellation);
        await transaction.CommitAsync(Cancellation);
        await ExecuteAsync(
            $"do $$ begin for i in 1..{Ahead + 1} loop perform pg_current_xact_id(); commit; end loop; end $$");

        Assert.Null(unassigned);

        // The transaction that has the identifier now may be one of another test, and open.
        bool? isCommitted;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((isCommitted = await ask(Cancellation)) is null)
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }

        Assert.False(isCommitted);

        Func<CancellationToken, ValueTask<bool?>> Follow(ulong ahead)
        {
            var commits = new CommitFollower(database);
            commits.Remember(transaction, new StoredInTransaction(current + ahead, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch));
            return commits.Follow(transaction, entryId: 4711)!;
        }
    }

    [Fact]
    public async Task A_transaction_in_which_nothing_was_stored_is_not_followed()
    {
        var store = await OpenStoreAsync();
        await store.EnqueueAsync([Entry(uniqueKey: "once")], null, Cancellation);
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        var duplicate = (await store.EnqueueAsync([Entry(uniqueKey: "once")], transaction, Cancellation))[0];

        Assert.Null(store.FollowCommit(transaction, duplicate.Id));
    }
}
