using System.Data;
using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Numbers that stand for names: none is ever stored without its name, and none outlives the database that it came from.</summary>
public sealed class NameTests : PostgreSqlStoreTests
{
    private static readonly SuspectAllowance Everything = new(3, 1000, 1);

    [Fact]
    public async Task Names_that_are_forgotten_in_the_middle_of_calls_store_nothing_under_number_0()
    {
        var store = await OpenStoreAsync();
        using var stop = new CancellationTokenSource();
        var clearing = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    store.Names.Clear();
                }
            },
            Cancellation);

        for (var i = 0; i < 200; i++)
        {
            await store.EnqueueAsync([Entry("one"), Entry("two"), Entry("one")], null, Cancellation);
        }

        await stop.CancelAsync();
        await clearing;
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.entries where queue not in (select id "
            + "from taskrecovery.queues) or kind not in (select id from taskrecovery.kinds)"));
        Assert.Equal(600L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Fact]
    public void A_name_without_a_number_is_an_exception()
    {
        var exception = Assert.Throws<InvalidOperationException>(() => EnqueueBatch.ToArgs([Entry()], NameNumbers.Nothing()));

        Assert.Contains("'default'", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("insert into taskrecovery.entries (queue, kind, priority, max_attempts, args) values (0, 1, 5, 1, '{}')")]
    [InlineData("insert into taskrecovery.waiting (run_at, id, queue, kind, priority) values (now(), 1, 1, 0, 5)")]
    public async Task The_database_refuses_number_0(string statement)
    {
        await OpenStoreAsync();

        var exception = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(statement));

        Assert.Equal(PostgresErrorCodes.CheckViolation, exception.SqlState);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Entries_are_stored_under_the_numbers_of_the_database_as_it_is_now(bool withKey)
    {
        var store = await OpenStoreAsync();
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await LoseNamesAsync();

        await store.EnqueueAsync([Entry(uniqueKey: withKey ? "key" : null)], null, Cancellation);

        Assert.Equal("default/test", await NamesOfTheLastAsync());
    }

    [Theory]
    [InlineData(10, 11)]
    [InlineData(32_767, -32_768)]
    public async Task A_kind_gets_a_number_although_the_sequence_has_none_left(int kinds, int number)
    {
        var store = await OpenStoreAsync();
        await ExecuteAsync($"""
            insert into taskrecovery.kinds (id, name) overriding system value select i, 'kind ' || i from generate_series(1, {kinds}) i;
            select setval('taskrecovery.kinds_id_seq', 32767);
            """);
        using var session = store.OpenNodeSession();
        var node = Identity();
        session.Register(node);
        var claimer = store.CreateClaimer(node.Id, "main", ["late"]);

        var stored = await store.EnqueueAsync([Entry() with { Kind = "late", Queue = "main" }], null, Cancellation);
        var poll = await store.PollAsync(new PollRequest(node.Id, ["main"], ["late"], WithUnknownKinds: true), Cancellation);
        var batch = await claimer.ClaimAsync(10, Everything, Cancellation);
        var refused = await store.FinishAsync(
            node.Id, [new RunOutcome { EntryId = stored[0].Id, Fence = batch.Fence, Kind = OutcomeKind.Completed, IsTask = false }],
            Cancellation);

        Assert.Equal(number, await ScalarAsync<short>("select id from taskrecovery.kinds where name = 'late'"));
        Assert.Equal(["main"], poll.DueQueues);
        Assert.Equal("late", Assert.Single(batch.Entries).Kind);
        Assert.Empty(refused);
        Assert.Equal("late", (await store.FindAsync(stored[0].Id, Cancellation))?.Kind);
        Assert.Empty(await store.CheckInvariantsAsync(Cancellation));
    }

    [Fact]
    public async Task Processes_that_register_kinds_at_once_after_the_sequence_has_ended_each_get_numbers()
    {
        var store = await OpenStoreAsync();
        await ExecuteAsync("select setval('taskrecovery.kinds_id_seq', 32767)");
        var others = Enumerable.Range(0, 4).Select(_ => new PostgreSqlQueueStore(Open(), TimeProvider.System)).ToArray();

        await Task.WhenAll(
            others.Select((other, index) => other.EnqueueAsync([Entry() with { Kind = $"kind {index}" }], null, Cancellation).AsTask()));

        Assert.Equal(4L, await ScalarAsync<long>(
            "select count(*) from taskrecovery.entries e join taskrecovery.kinds k on k.id = e.kind and k.name like 'kind %'"));
    }

    [Theory]
    [InlineData(IsolationLevel.ReadCommitted)]
    [InlineData(IsolationLevel.RepeatableRead)]
    public async Task A_callers_transaction_outlives_numbers_that_the_database_has_lost(IsolationLevel level)
    {
        var store = await OpenStoreAsync();
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await LoseNamesAsync();
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(level, Cancellation);
        await using (var first = new NpgsqlCommand("select 1 from taskrecovery.kinds", connection))
        {
            // Its snapshot is older than the numbers that the names are about to get.
            await first.ExecuteNonQueryAsync(Cancellation);
        }

        await store.EnqueueAsync([Entry()], transaction, Cancellation);
        await transaction.CommitAsync(Cancellation);

        Assert.Equal("default/test", await NamesOfTheLastAsync());
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public async Task Nothing_is_stored_in_a_callers_transaction_in_which_the_new_numbers_are_those_of_others(int count, bool withKeys)
    {
        var store = await OpenStoreAsync();
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await LoseNamesAsync();
        await ExecuteAsync(
            "insert into taskrecovery.queues (name) values ('strange'); insert into taskrecovery.kinds (name) values ('strange')");
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, Cancellation);
        await using (var first = new NpgsqlCommand("select 1 from taskrecovery.kinds", connection))
        {
            await first.ExecuteNonQueryAsync(Cancellation);
        }

        await ExecuteAsync("""
            update taskrecovery.queues set name = 'default' where name = 'strange';
            update taskrecovery.kinds set name = 'test' where name = 'strange';
            """);
        NewEntry[] entries = [.. Enumerable.Range(0, count).Select(number => Entry(uniqueKey: withKeys ? $"key {number}" : null))];

        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.EnqueueAsync(entries, transaction, Cancellation));
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.entries"));
    }

    [Fact]
    public async Task A_claimer_finds_its_queue_again_and_takes_nothing_of_another_kind()
    {
        var store = await OpenStoreAsync();
        using var session = store.OpenNodeSession();
        var node = Identity();
        session.Register(node);
        var claimer = store.CreateClaimer(node.Id, "default", ["test"]);
        Assert.Empty((await claimer.ClaimAsync(10, Everything, Cancellation)).Entries);
        await LoseNamesAsync();
        await ExecuteAsync("""
            insert into taskrecovery.entries (queue, kind, priority, max_attempts, args) values (1, 1, 5, 1, '{}');
            insert into taskrecovery.waiting (run_at, id, queue, kind, priority) select now(), id, queue, kind, priority
                from taskrecovery.entries;
            """);
        var other = new PostgreSqlQueueStore(Open(), TimeProvider.System);
        var mine = await other.EnqueueAsync([Entry()], null, Cancellation);

        var claimed = await claimer.ClaimAsync(10, Everything, Cancellation);

        Assert.Equal(mine[0].Id, Assert.Single(claimed.Entries).Id);
    }

    [Fact]
    public async Task An_entry_that_is_stored_as_claimed_falls_back_to_waiting_under_the_right_numbers()
    {
        var store = await OpenStoreAsync();
        using var session = store.OpenNodeSession();
        var node = Identity();
        session.Register(node);
        var claimer = store.CreateClaimer(node.Id, "default", ["test"]);
        Assert.NotNull(await claimer.EnqueueAsync([Entry()], Cancellation));
        await LoseNamesAsync();

        Assert.Null(await claimer.EnqueueAsync([Entry()], Cancellation));
        Assert.NotNull(await claimer.EnqueueAsync([Entry()], Cancellation));

        Assert.Equal("default/test", await NamesOfTheLastAsync());
    }

    [Fact]
    public async Task A_poll_notices_that_its_kinds_have_other_numbers()
    {
        var store = await OpenStoreAsync();
        var request = new PollRequest(Guid.NewGuid(), ["default"], ["test"], WithUnknownKinds: false);
        await store.PollAsync(request, Cancellation);
        await LoseNamesAsync();
        await new PostgreSqlQueueStore(Open(), TimeProvider.System).EnqueueAsync([Entry()], null, Cancellation);

        var poll = await store.PollAsync(request, Cancellation);

        Assert.Equal(["default"], poll.DueQueues);
    }

    [Fact]
    public async Task A_declared_job_gets_its_names_back()
    {
        var store = await OpenStoreAsync();
        var jobs = new PostgreSqlJobStore(Open(), store);
        var job = new NewJob(
            new JobDefinition("nightly", Schedule.Every(TimeSpan.FromHours(1))), "report", "task:report", "{}"u8.ToArray(), 3);
        await jobs.UpsertAsync(job, Cancellation);
        await LoseNamesAsync();
        await ExecuteAsync("delete from taskrecovery.jobs");

        await jobs.UpsertAsync(job, Cancellation);

        Assert.Equal("default/task:report", await NamesOfTheLastAsync());
    }

    // As a restored or emptied database: the names are gone, and others have their numbers.
    private Task LoseNamesAsync() => ExecuteAsync("""
        truncate taskrecovery.entries, taskrecovery.waiting, taskrecovery.unique_keys, taskrecovery.claims, taskrecovery.kinds,
            taskrecovery.queues restart identity;
        insert into taskrecovery.queues (name) values ('of others');
        insert into taskrecovery.kinds (name) values ('others');
        """);

    private Task<string> NamesOfTheLastAsync() => ScalarAsync<string>("""
        select q.name || '/' || k.name from taskrecovery.entries e
        join taskrecovery.queues q on q.id = e.queue join taskrecovery.kinds k on k.id = e.kind
        order by e.id desc limit 1
        """);
}
