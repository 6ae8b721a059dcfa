using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>History that is much, or strange: a round has to stay small, and must come by everything.</summary>
public sealed class RetentionTests : PostgreSqlStoreTests
{
    [Fact]
    public async Task Events_of_the_application_are_limited_by_number_and_those_of_people_are_not()
    {
        await OpenStoreAsync();
        await ExecuteAsync("""
            insert into taskrecovery.events (kind, actor, tool) values (1, 'anna', 'cli'), (1, 'shop', 'application'), (1, null, null);
            insert into taskrecovery.events (kind, actor, tool) select 1, 'shop', 'application' from generate_series(1, 100000);
            select taskrecovery.remove_old_events();
            """);

        Assert.Equal(100_001, await CountAsync("events"));
        Assert.Equal(1, await CountAsync("events where actor = 'anna'"));
    }

    private static readonly RetentionOptions Kept = new();

    [Fact]
    public async Task A_round_looks_at_a_part_of_what_is_kept_and_the_next_goes_on_there()
    {
        var store = await OpenStoreAsync();
        await GivenEndedAsync(1, 150_000, created: "50 hours", ended: "1 hour");
        await GivenEndedAsync(150_001, 1, created: "50 hours", ended: "49 hours");

        var first = await PurgeAsync(store);
        var left = await CountAsync("entries");
        var second = await PurgeAsync(store);

        Assert.Equal(150_001, left);
        Assert.Equal(150_000, await CountAsync("entries"));
        Assert.All([first, second], round => Assert.InRange(round, 2, 30));
    }

    [Fact]
    public async Task Heartbeats_of_nodes_that_an_operator_has_deleted_or_marked_dead_are_removed()
    {
        var store = await OpenStoreAsync();
        NodeIdentity[] nodes = [.. Enumerable.Range(1, 3).Select(static number => Identity($"node {number}"))];
        Array.ForEach(nodes, identity => Keep(store.OpenNodeSession()).Register(identity));
        await ExecuteAsync(
            $"delete from taskrecovery.nodes where id = '{nodes[0].Id}'; "
            + $"update taskrecovery.nodes set dead_at = now() where id = '{nodes[1].Id}'");

        await PurgeAsync(store);

        Assert.Equal(1, await CountAsync("heartbeats"));
        Assert.Equal(1, await CountAsync(
            $"heartbeats h join taskrecovery.nodes n on n.number = h.node where n.id = '{nodes[2].Id}'"));
    }

    [Fact]
    public async Task A_locked_row_of_a_dead_node_keeps_nothing_else_from_being_removed()
    {
        var store = await OpenStoreAsync();
        Keep(store.OpenNodeSession()).Register(Identity("dead"));
        await ExecuteAsync("update taskrecovery.nodes set dead_at = now() - interval '1 year'");
        await GivenEndedAsync(1, 1, created: "50 hours", ended: "49 hours");
        await using var holder = await ConnectAsync();
        await QueryPlan.RunAsync(holder, "begin; select from taskrecovery.heartbeats for update");
        await QueryPlan.RunAsync(holder, "select from taskrecovery.nodes for update");

        await PurgeAsync(store);
        var kept = (await CountAsync("entries"), await CountAsync("nodes"), await CountAsync("heartbeats"));
        await QueryPlan.RunAsync(holder, "rollback");
        await PurgeAsync(store);

        Assert.Equal((0L, 1L, 1L), kept);
        Assert.Equal((0L, 0L), (await CountAsync("nodes"), await CountAsync("heartbeats")));
    }

    [Fact]
    public async Task A_request_of_an_erased_run_goes_after_its_claim()
    {
        var store = await OpenStoreAsync();
        var identity = Identity();
        Keep(store.OpenNodeSession()).Register(identity);
        var (id, _) = (await store.EnqueueAsync([Entry()], null, Cancellation))[0];
        var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(1, new SuspectAllowance(3, 0, 0), Cancellation);
        await store.EraseAsync(EraseTarget.Entry(id), new AuditInfo("anna"), Cancellation);

        await PurgeAsync(store);
        var kept = await CountAsync("cancellations");
        await store.RemoveSettledClaimsAsync(identity.Id, [batch.Fence], Cancellation);
        await PurgeAsync(store);

        Assert.Equal((1L, 0L), (kept, await CountAsync("cancellations")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task What_was_stored_before_the_clock_was_set_back_keeps_nothing_else(int kind)
    {
        var store = await OpenStoreAsync();
        await GivenEndedAsync(1, HistoryWalk.Chunk + 1, created: "-365 days", ended: "-365 days", kind: kind);
        await GivenEndedAsync(HistoryWalk.Chunk + 2, 1, created: "50 hours", ended: "49 hours", kind: kind);

        await PurgeAsync(store, new RetentionOptions { Failed = TimeSpan.FromDays(1) });

        Assert.Equal(HistoryWalk.Chunk + 1, await CountAsync("entries"));
    }

    [Fact]
    public async Task Failed_entries_that_stay_longer_do_not_keep_completed_ones()
    {
        var store = await OpenStoreAsync();
        await GivenEndedAsync(1, 20_000, created: "50 hours", ended: "49 hours", kind: 1);
        await GivenEndedAsync(20_001, 6_000, created: "49 hours", ended: "48 hours");

        await PurgeAsync(store);

        Assert.Equal(20_000, await CountAsync("entries"));
    }

    [Fact]
    public async Task Completed_entries_that_stay_longer_do_not_keep_failed_ones()
    {
        var store = await OpenStoreAsync();
        await GivenEndedAsync(1, 150_000, created: "50 hours", ended: "49 hours");
        await GivenEndedAsync(150_001, 1, created: "50 hours", ended: "49 hours", kind: 1);

        await PurgeAsync(store, new RetentionOptions { Completed = TimeSpan.FromDays(90), Failed = TimeSpan.FromDays(1) });

        Assert.Equal(150_000, await CountAsync("entries"));
    }

    [Fact]
    public async Task Every_run_of_an_entry_goes_with_it_wherever_a_part_ends()
    {
        var store = await OpenStoreAsync();
        await GivenEndedAsync(1, 1_000, created: "50 hours", ended: "49 hours");
        await ExecuteAsync("""
            insert into taskrecovery.outcomes (entry, fence, ended_at, duration_ms, kind, attempt, crashes, final)
            select e, f, now() - interval '49 hours', 1, 3, 1, 0, false from generate_series(1, 1000) e, generate_series(2, 8) f
            """);

        await PurgeAsync(store);

        Assert.Equal((0, 0), (await CountAsync("entries"), await CountAsync("outcomes")));
    }

    [Fact]
    public async Task Tasks_whose_entry_is_gone_are_removed_and_those_that_the_old_system_had_finished_stay()
    {
        var store = await OpenStoreAsync();
        await GivenEndedAsync(1, 1, created: "50 hours", ended: "1 hour");
        await ExecuteAsync("""
            insert into taskrecovery.tasks (id, job_id, entry_id, state, reason, created_at, ended_at) values
                (gen_random_uuid(), gen_random_uuid(), 4711, 4, 'job_deleted', now() - interval '9 days', now() - interval '8 days'),
                (gen_random_uuid(), gen_random_uuid(), 4712, 2, null, now() - interval '9 days', now() - interval '25 hours'),
                (gen_random_uuid(), gen_random_uuid(), null, 3, 'crash_loop', now() - interval '9 days', now() - interval '8 days'),
                (gen_random_uuid(), gen_random_uuid(), null, 4, 'too_old', now() - interval '9 days', now() - interval '6 days'),
                (gen_random_uuid(), gen_random_uuid(), 1, 2, 'has its entry', now() - interval '9 days', now() - interval '8 days'),
                (gen_random_uuid(), gen_random_uuid(), null, 1, 'runs', now() - interval '9 days', null),
                (gen_random_uuid(), gen_random_uuid(), null, 2, null, now() - interval '9 years', now() - interval '9 years')
            """);

        await PurgeAsync(store);

        Assert.Equal("9 years, has its entry, runs, too_old", await ScalarAsync<string>(
            "select string_agg(coalesce(reason, '9 years'), ', ' order by coalesce(reason, '9 years')) from taskrecovery.tasks"));
    }

    private static async Task<int> PurgeAsync(PostgreSqlQueueStore store, RetentionOptions? retention = null)
    {
        var calls = 1;
        while (await store.PurgeAsync(retention ?? Kept, Cancellation))
        {
            calls++;
        }

        return calls;
    }

    private Task<long> CountAsync(string table) => ScalarAsync<long>($"select count(*) from taskrecovery.{table}");

    private Task GivenEndedAsync(long first, int count, string created, string ended, int kind = 0) => ExecuteAsync($"""
        insert into taskrecovery.entries (id, created_at, queue, kind, priority, max_attempts, args) overriding system value
        select id, now() - interval '{created}', 1, 1, 5, 1, '' from generate_series({first}, {first + count - 1}) id;
        insert into taskrecovery.outcomes (entry, fence, ended_at, duration_ms, kind, attempt, crashes, final)
        select id, 1, now() - interval '{ended}', 1, {kind}, 1, 0, true from generate_series({first}, {first + count - 1}) id
        """);
}
