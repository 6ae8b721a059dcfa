using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Transactions of another database, on another server, that has the same name and the same numbers for the same kinds.</summary>
public sealed class TransactionCheckTests : PostgreSqlStoreTests
{
    private string Name => new NpgsqlConnectionStringBuilder(ConnectionString).Database!;

    private protected override bool StartMigrated => false;

    [Fact]
    public async Task A_transaction_of_a_namesake_on_another_server_is_refused()
    {
        var store = await OpenStoreAsync();
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { Controlled = true, MaxConnections = 30 });
        await ExecuteAsync($"create database {Name}", server.ConnectionString);
        var namesake = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = Name }.ConnectionString;
        var other = await OpenStoreAsync(Open(connectionString: namesake));
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await other.EnqueueAsync([Entry()], null, Cancellation);
        await using var connection = await ConnectAsync(namesake);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        NewEntry[][] calls =
            [[Entry()], [Entry(), Entry(queue: "new")], [Entry(uniqueKey: "one")], [Entry(uniqueKey: "one"), Entry(uniqueKey: "two")]];

        foreach (var entries in calls)
        {
            var refused = await Assert.ThrowsAsync<ArgumentException>(
                async () => await store.EnqueueAsync(entries, transaction, Cancellation));
            Assert.Contains("is another one than the store's", refused.Message, StringComparison.Ordinal);
        }

        var outcome = new RunOutcome { EntryId = 1, Fence = 1, Kind = OutcomeKind.Completed };
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.FinishInTransactionAsync(Guid.NewGuid(), outcome, transaction, Cancellation));

        // The refusals have not ended it.
        await other.EnqueueAsync([Entry()], transaction, Cancellation);
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.entries"));
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.queues"));
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.unique_keys"));
        await using var count = new NpgsqlCommand("select count(*) from taskrecovery.entries", connection);
        Assert.Equal(2L, await count.ExecuteScalarAsync(Cancellation));
    }

    /// <summary>A pooler may have a name for each of its modes.</summary>
    [Fact]
    public async Task A_transaction_that_reaches_the_database_by_another_name_is_accepted()
    {
        var store = await OpenStoreAsync();
        await using var pooler = await PgBouncer.StartAsync(ConnectionString, "session", alias: "app_session");
        await using var connection = await ConnectAsync(
            new NpgsqlConnectionStringBuilder(pooler.ConnectionString) { Database = "app_session" }.ConnectionString);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        await store.EnqueueAsync([Entry()], transaction, Cancellation);
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.entries"));
    }

    [Fact]
    public async Task A_transaction_of_another_database_of_the_server_is_refused()
    {
        var store = await OpenStoreAsync();
        await using var other = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("other");
        await using var connection = await ConnectAsync(other.ConnectionString);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        var refused = await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.EnqueueAsync([Entry()], transaction, Cancellation));

        Assert.Contains($"and the store is in '{Name}'", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("grant", refused.Message, StringComparison.Ordinal);
        await transaction.CommitAsync(Cancellation);
    }

    /// <summary>A database that was restored is another one to its server.</summary>
    [Fact]
    public async Task A_store_whose_database_was_replaced_accepts_the_transactions_of_the_new_one()
    {
        var store = await OpenStoreAsync();
        var server = await PostgresServer.SharedAsync();
        await ExecuteAsync($"drop database {Name} with (force)", server.ConnectionString);
        await ExecuteAsync($"create database {Name}", server.ConnectionString);
        await OpenStoreAsync();
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        // The first calls may find connections that ended with the old database.
        for (var tries = 1; await TryEnqueueAsync() is { } failure; tries++)
        {
            Assert.True(tries < 10, failure.Message);
        }

        await transaction.CommitAsync(Cancellation);
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.entries"));

        async Task<StoreUnavailableException?> TryEnqueueAsync()
        {
            try
            {
                await store.EnqueueAsync([Entry()], transaction, Cancellation);
                return null;
            }
            catch (StoreUnavailableException exception)
            {
                return exception;
            }
        }
    }
}
