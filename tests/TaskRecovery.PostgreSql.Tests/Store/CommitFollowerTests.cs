using Npgsql;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>What became of a caller's transaction, if the answer to its commit was lost.</summary>
public sealed class CommitFollowerTests : PostgreSqlStoreTests
{
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
        var commits = new CommitFollower(database);
        commits.Remember(transaction, current + 1);
        var ask = commits.Follow(transaction, entryId: 4711);
        Assert.NotNull(ask);

        var unassigned = await ask(Cancellation);
        await transaction.CommitAsync(Cancellation);
        for (var others = 0; others < 3; others++)
        {
            await ExecuteAsync("select pg_current_xact_id()");
        }

        Assert.Null(unassigned);
        Assert.False(await ask(Cancellation));
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
