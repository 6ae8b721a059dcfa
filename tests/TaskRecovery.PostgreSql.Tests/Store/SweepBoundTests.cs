using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>How many rows a sweep reads.</summary>
public sealed class SweepBoundTests : PostgreSqlStoreTests
{
    [Fact]
    public async Task The_cost_of_a_sweep_grows_with_the_entries_of_the_dead_node()
    {
        const int few = 200;
        const int factor = 10;
        var database = Open();
        var store = await OpenStoreAsync(database);

        var small = await RowsAsync(database, store, few);
        var large = await RowsAsync(database, store, few * factor);

        Assert.InRange(large, small, 2 * factor * small);
    }

    private static async Task<long> RowsAsync(PostgreSqlDatabase database, PostgreSqlQueueStore store, int entries)
    {
        await store.EnqueueAsync([.. Enumerable.Range(0, entries).Select(static _ => Entry())], null, Cancellation);
        var identity = Identity($"node {entries}");
        using var session = store.OpenNodeSession();
        session.Register(identity);
        var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(
            entries, new SuspectAllowance(3, 10, 10), Cancellation);
        Assert.Equal(entries, batch.Entries.Count);
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);

        // It is rolled back.
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await QueryPlan.RunAsync(connection, database.Sql("update {schema}.nodes set dead_at = clock_timestamp()"));
        var none = Arg.Array<long>([], NpgsqlDbType.Bigint);
        return await ScannedRows.CountAsync(
            connection,
            database.Sql(RecoverySql.Sweep),
            [Arg.Array([batch.Fence], NpgsqlDbType.Bigint), Arg.Int4(3), none, none.Clone(), none.Clone(), none.Clone()],
            withParts: true);
    }
}
