using System.Text;
using System.Transactions;
using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Enqueues in what the application has around them: its transactions, its data source, its database's settings.</summary>
public sealed class EnqueueTests : PostgreSqlStoreTests
{
    [Fact]
    public async Task Nothing_that_is_stored_takes_part_in_an_ambient_transaction()
    {
        await OpenStoreAsync();
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        var store = new PostgreSqlQueueStore(Keep(
            new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, source), new PostgreSqlOptions(), Lease)), TimeProvider.System);
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await store.EnqueueAsync([Entry("of a tenant")], null, Cancellation);
            await store.EnqueueAsync([Entry("of a tenant", uniqueKey: "once")], null, Cancellation);
            var cancelled = await store.EnqueueAsync([Entry("of a tenant")], null, Cancellation);
            Assert.True(await store.CancelAsync(cancelled[0].Id, Cancellation));
        }

        Assert.Equal("of a tenant, of a tenant", await ScalarAsync<string>(
            "select string_agg(q.name, ', ') from taskrecovery.waiting w join taskrecovery.queues q on q.id = w.queue"));
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.outcomes"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Entries_that_differ_only_in_their_args_keep_their_order_and_share_the_rest(bool isInTransaction)
    {
        var store = await OpenStoreAsync();
        var at = DateTimeOffset.UtcNow.AddHours(1);
        NewEntry[] entries =
        [
            .. Enumerable.Range(0, 50).Select(number => Entry("alike") with
            {
                Args = Encoding.UTF8.GetBytes($"{number}"), RunAt = at, Timeout = TimeSpan.FromSeconds(7), Priority = 3, MaxAttempts = 4,
                Metadata = """{"a":"b"}""", TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            }),
        ];
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        var results = await store.EnqueueAsync(entries, isInTransaction ? transaction : null, Cancellation);
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(
            string.Join(',', Enumerable.Range(0, 50)),
            await ScalarAsync<string>("select string_agg(args, ',' order by id) from taskrecovery.entries"));
        Assert.Equal(results.Select(static result => result.Id).Order(), results.Select(static result => result.Id));
        Assert.Equal(50L, await ScalarAsync<long>(
            "select count(*) from taskrecovery.entries e join taskrecovery.waiting w on w.id = e.id and w.found_by_id "
            + "where e.timeout = interval '7 seconds' and e.priority = 3 and w.priority = 3 and e.max_attempts = 4 "
            + "and e.metadata = '{\"a\":\"b\"}' and e.trace_parent like '00-0af%' and w.run_at > now() + interval '59 minutes'"));
        Assert.Equal(1L, await ScalarAsync<long>("select count(distinct created_at) from taskrecovery.entries"));
    }

    [Fact]
    public async Task A_transaction_of_another_database_is_refused_with_both_names()
    {
        var store = await OpenStoreAsync();
        await using var other = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("other");
        await using var connection = new NpgsqlConnection(other.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        var exception = await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.EnqueueAsync([Entry()], transaction, Cancellation));

        Assert.Contains($"'{connection.Database}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains($"'{new NpgsqlConnectionStringBuilder(ConnectionString).Database}'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_day_has_24_hours_whatever_the_clocks_of_the_server_s_country_do()
    {
        await ExecuteAsync(
            "do $$ begin execute format('alter database %I set timezone = %L', current_database(), 'Europe/Berlin'); end $$");
        var store = await OpenStoreAsync();

        // One of them ends in winter and one in summer, whenever the test runs.
        await store.EnqueueAsync([Entry(after: TimeSpan.FromDays(90)), Entry(after: TimeSpan.FromDays(270))], null, Cancellation);

        Assert.Equal("2160,6480", await ScalarAsync<string>(
            "select string_agg((extract(epoch from w.run_at - e.created_at) / 3600)::int::text, ',' order by e.id) "
            + "from taskrecovery.waiting w join taskrecovery.entries e on e.id = w.id"));
    }
}
