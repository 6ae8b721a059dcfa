using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Batches that are too large, or take too long, for one statement.</summary>
public sealed class LargeBatchTests : PostgreSqlStoreTests
{
    [Fact]
    public void A_statement_takes_so_many_entries_and_so_many_bytes_but_at_least_one()
    {
        NewEntry[] entries = [Sized(10), Sized(40), Sized(60), Sized(500), Sized(2)];

        Assert.Equal(2, EnqueueBatch.Fitting(entries, 0, maxEntries: 10, maxBytes: 100));
        Assert.Equal(1, EnqueueBatch.Fitting(entries, 0, maxEntries: 1, maxBytes: 100));
        Assert.Equal(1, EnqueueBatch.Fitting(entries, 3, maxEntries: 10, maxBytes: 100));
        Assert.Equal(1, EnqueueBatch.Fitting(entries, 4, maxEntries: 10, maxBytes: 100));
    }

    [Fact]
    public void Metadata_and_keys_count_among_the_bytes_of_a_statement()
    {
        NewEntry[] entries =
        [
            Sized(10) with { Metadata = new string('m', 40), TraceParent = new string('t', 20) },
            Sized(10) with { UniqueKey = new string('k', 20) },
        ];

        Assert.Equal(2, EnqueueBatch.Fitting(entries, 0, maxEntries: 10, maxBytes: 100));
        Assert.Equal(1, EnqueueBatch.Fitting(entries, 0, maxEntries: 10, maxBytes: 99));
    }

    [Fact]
    public async Task Many_large_entries_go_in_several_statements_and_are_stored_in_their_order()
    {
        var store = await OpenStoreAsync();
        await ExecuteAsync("""
            create table statements (bytes bigint);
            create function note() returns trigger language plpgsql as $$ begin insert into public.statements select sum(length(args))
                from added; return null; end $$;
            create trigger note after insert
                on taskrecovery.entries referencing new table as added for each statement execute function public.note();
            """);

        var results = await store.EnqueueAsync([.. Enumerable.Range(0, 9).Select(_ => Sized(1_000_000))], null, Cancellation);

        Assert.Equal(results.Select(result => result.Id).Order(), results.Select(result => result.Id));
        Assert.Equal(9L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
        Assert.Equal(3L, await ScalarAsync<long>("select count(*) from statements"));
        Assert.Equal(4_000_000L, await ScalarAsync<long>("select max(bytes) from statements"));
    }

    [Fact]
    public async Task All_of_several_statements_are_stored_or_none()
    {
        var store = await OpenStoreAsync();
        await ExecuteAsync("alter table taskrecovery.entries add constraint last check (length(args) > 100)");
        NewEntry[] entries = [.. Enumerable.Range(0, 8).Select(_ => Sized(1_000_000)), Sized(50)];

        await Assert.ThrowsAnyAsync<Exception>(async () => await store.EnqueueAsync(entries, null, Cancellation));

        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.entries"));
    }

    [Fact]
    public async Task A_part_that_takes_too_long_is_halved()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        await store.EnqueueAsync([Sized(50)], null, Cancellation);
        await ExecuteAsync("""
            create function slow() returns trigger language plpgsql as $$ begin
                if (select count(*) from added) > 2 then perform pg_sleep(300); end if; return null; end $$;
            create trigger slow after insert
                on taskrecovery.entries referencing new table as added for each statement execute function public.slow();
            """);

        var limit = database.CommandTimeout;
        database.CommandTimeout = 3;
        var storing = store.EnqueueAsync([.. Enumerable.Range(0, 5).Select(_ => Sized(1_000_000))], null, Cancellation).AsTask();

        // Only the statement that takes too long needs a short limit.
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!storing.IsCompleted && await ScalarAsync<long>(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'") == 0)
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }

        database.CommandTimeout = limit;
        await storing;

        Assert.Equal(6L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Fact]
    public async Task A_batch_that_waits_for_a_unique_key_is_not_halved()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await store.EnqueueAsync([Entry(uniqueKey: "taken")], transaction, Cancellation);

        database.CommandTimeout = 4;
        var error = await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await store.EnqueueAsync([Entry(uniqueKey: "free"), Entry(uniqueKey: "taken")], null, Cancellation));

        Assert.Equal(PostgresErrorCodes.LockNotAvailable, Assert.IsType<PostgresException>(error.InnerException).SqlState);
        Assert.Contains("was not free for 4 s", error.Message, StringComparison.Ordinal);
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.entries"));
    }

    [Fact]
    public async Task A_batch_that_waits_for_several_unique_keys_in_turn_is_not_stored()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await store.EnqueueAsync([Entry(uniqueKey: "taken")], transaction, Cancellation);

        // As if the statement waited for many keys, each for a part of its time limit.
        database.CommandTimeout = 1;
        Assert.Null(await store.TryEnqueueAsync(
            [Entry(uniqueKey: "free"), Entry(uniqueKey: "taken")], TimeSpan.FromMinutes(5), isBlocked: false, Cancellation));

        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.entries"));
    }

    private static NewEntry Sized(int bytes) => Entry(args: $"\"{new string('x', bytes - 2)}\"");
}
