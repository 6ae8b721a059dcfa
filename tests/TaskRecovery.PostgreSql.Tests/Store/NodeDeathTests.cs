using Npgsql;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>How nodes watch each other here: without waiting for what another is in the middle of, and whatever other logins
/// lock.</summary>
public sealed class NodeDeathTests : PostgreSqlStoreTests
{
    [Fact]
    public async Task A_node_in_the_middle_of_a_claim_is_judged_again_and_the_watching_session_goes_on()
    {
        var (watcher, watcherId) = await GivenNodeAsync("watcher");
        var (_, id) = await GivenNodeAsync("claiming");
        await using var claiming = await OpenConnectionAsync();
        await RunAsync(claiming, $"begin; select from taskrecovery.nodes where id = '{id}' for key share");

        // A watcher that waited for the claim would wait as long as the claim's transaction is open, and fail.
        Assert.Empty(watcher.MarkDead([Judged(id), Judged(Guid.NewGuid())]));

        Assert.True(watcher.SendHeartbeat(watcherId, holdsLock: true).Accepted);
        await RunAsync(claiming, "rollback");
        Assert.Equal([id], watcher.MarkDead([Judged(id)]));
    }

    [Fact]
    public async Task A_claim_that_a_stopped_process_keeps_open_is_ended_before_its_node_is_dead()
    {
        var (watcher, _) = await GivenNodeAsync("watcher");
        var (_, id) = await GivenNodeAsync("stopped");
        await using var claiming = await OpenConnectionAsync(
            await ScalarAsync<string>($"select application from taskrecovery.nodes where id = '{id}'"));
        await RunAsync(claiming, $"begin; select from taskrecovery.nodes where id = '{id}' for key share; select pg_sleep(1.1)");

        Assert.Empty(watcher.MarkDead([Judged(id)]));

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => RunAsync(claiming, "select 1"));
        await UntilAsync(() => watcher.MarkDead([Judged(id)]).Count == 1);
    }

    [Fact]
    public async Task A_registration_that_failed_and_is_stored_all_the_same_keeps_no_name_from_this_process()
    {
        var store = await OpenStoreAsync();
        var other = await OpenStoreAsync();
        var identity = Identity("web");
        await ExecuteAsync("""
            create function refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end';
            create trigger refuse before insert on taskrecovery.nodes for each row execute function refuse()
            """);
        using (var failed = store.OpenNodeSession())
        {
            Assert.Throws<StoreUnavailableException>(() => failed.Register(identity));
        }

        // As if the commit had succeeded and its answer had been lost.
        await ExecuteAsync("drop trigger refuse on taskrecovery.nodes");
        using var stored = other.OpenNodeSession();
        stored.Register(identity);
        using var session = store.OpenNodeSession();
        var registration = session.Register(identity with { Id = Guid.NewGuid() });

        Assert.False(registration.NameTaken);
        Assert.Equal([identity.Id], registration.TakenOver);
    }

    [Fact]
    public async Task Sessions_that_are_not_this_librarys_are_not_ended_whatever_a_row_says()
    {
        var (watcher, _) = await GivenNodeAsync("watcher");
        var (_, id) = await GivenNodeAsync("dead");
        await using var web = await OpenConnectionAsync("web");
        await RunAsync(web, "begin; select pg_sleep(1.1)");
        await ExecuteAsync(
            $"update taskrecovery.nodes set application = 'web' where id = '{id}'; update taskrecovery.heartbeats h "
            + $"set backend = {web.ProcessID} from taskrecovery.nodes n where n.number = h.node and n.id = '{id}'");

        Assert.Equal([id], watcher.MarkDead([Judged(id)]));

        await RunAsync(web, "select 1");
    }

    [Fact]
    public async Task A_lock_counts_only_in_the_nodes_own_session()
    {
        var (watcher, watcherId) = await GivenNodeAsync("watcher");
        var (node, id) = await GivenNodeAsync("node");
        Assert.True(Assert.Single(watcher.SendHeartbeat(watcherId, holdsLock: true).Peers).LockIsHeld);
        var key = await ScalarAsync<long>($"select lock_key from taskrecovery.nodes where id = '{id}'");
        await using var stranger = await OpenConnectionAsync();
        node.Dispose();
        await RunAsync(stranger, $"select pg_advisory_lock({key})");

        Assert.False(Assert.Single(watcher.SendHeartbeat(watcherId, holdsLock: true).Peers).LockIsHeld);
    }

    [Fact]
    public async Task A_login_that_takes_a_dead_nodes_lock_keeps_no_restarted_node_from_its_work()
    {
        var store = await OpenStoreAsync();
        var first = Identity("name", isExplicit: true);
        var dead = Keep(store.OpenNodeSession());
        dead.Register(first);
        dead.SendHeartbeat(first.Id, holdsLock: true);
        var key = await ScalarAsync<long>($"select lock_key from taskrecovery.nodes where id = '{first.Id}'");
        await using var stranger = await OpenConnectionAsync();
        dead.Dispose();
        await RunAsync(stranger, $"select pg_advisory_lock({key})");

        using var restarted = store.OpenNodeSession();
        var registration = restarted.Register(Identity("name", isExplicit: true));

        Assert.Equal((false, first.Id), (registration.NameTaken, Assert.Single(registration.TakenOver)));
    }

    [Fact]
    public async Task A_beat_does_not_read_claims()
    {
        var (node, id) = await GivenNodeAsync("node");
        await ExecuteAsync("alter table taskrecovery.claims rename to claims_away");

        Assert.True(node.SendHeartbeat(id, holdsLock: true).Accepted);
    }

    [Fact]
    public async Task A_dead_node_is_looked_at_until_nothing_is_left_of_it()
    {
        var store = await OpenStoreAsync();
        var (watcher, watcherId) = await GivenNodeAsync("watcher");
        var (_, id) = await GivenNodeAsync("dead");
        await ExecuteAsync(
            "insert into taskrecovery.claims (id, node, entries) select 1, number, array[]::bigint[] from taskrecovery.nodes "
            + $"where id = '{id}'");
        await using var flush = await OpenConnectionAsync();
        await RunAsync(flush, "begin; select from taskrecovery.claims for share");
        watcher.MarkDead([Judged(id)]);

        await store.SweepAsync(3, Cancellation);
        var between = watcher.SendHeartbeat(watcherId, holdsLock: true).DeadWithClaims;
        await RunAsync(flush, "rollback");
        await store.SweepAsync(3, Cancellation);

        Assert.True(between);
        Assert.False(watcher.SendHeartbeat(watcherId, holdsLock: true).DeadWithClaims);
    }

    [Fact]
    public async Task Of_two_that_register_with_one_name_at_once_one_has_it()
    {
        var store = await OpenStoreAsync();
        for (var (round, attempt) = (0, 0); round < 10; attempt++)
        {
            Assert.InRange(attempt, 0, 50);
            INodeSession[] sessions = [.. Enumerable.Range(0, 4).Select(_ => Keep(store.OpenNodeSession()))];

            if (await TryRegisterAsync(sessions, $"name-{attempt}") is { } registrations)
            {
                Assert.Single(registrations, registration => !registration.NameTaken);
                round++;
            }

            Array.ForEach(sessions, session => session.Dispose());
        }
    }

    [Fact]
    public async Task No_login_stops_registering_retention_or_migrations_with_advisory_locks()
    {
        await using var stranger = await OpenConnectionAsync();
        foreach (var text in (string[])[
            "taskrecovery migrations of taskrecovery",
            "taskrecovery retention of \"taskrecovery\"", "taskrecovery node node of taskrecovery"])
        {
            await RunAsync(stranger, $"select pg_advisory_lock(hashtextextended('{text}', 0))");
        }

        var store = await OpenStoreAsync();
        var (_, id) = await GivenNodeAsync("node");
        await ExecuteAsync("insert into taskrecovery.entries (created_at, queue, kind, priority, max_attempts, args) "
            + "values (now() - interval '90 days', 1, 1, 5, 10, '{}')");
        await ExecuteAsync("insert into taskrecovery.outcomes (entry, fence, ended_at, duration_ms, kind, attempt, crashes, final) "
            + "select id, 1, created_at, 0, 0, 1, 0, true from taskrecovery.entries");
        await store.PurgeAsync(new RetentionOptions(), Cancellation);

        Assert.Equal(1L, await ScalarAsync<long>($"select count(*) from taskrecovery.nodes where id = '{id}' and named"));
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.entries"));
    }

    [Fact]
    public async Task Retention_that_nobody_gets_round_to_is_an_error_after_an_hour()
    {
        var store = await OpenStoreAsync();
        await using var holder = await OpenConnectionAsync();
        await RunAsync(holder, "begin; select from taskrecovery.turns for update");
        await store.PurgeAsync(new RetentionOptions(), Cancellation);
        await RunAsync(holder, "rollback");
        await RunAsync(holder, "update taskrecovery.turns set taken_at = now() - interval '2 hours'");
        await RunAsync(holder, "begin; select from taskrecovery.turns for update");

        var exception = await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await store.PurgeAsync(new RetentionOptions(), Cancellation));

        Assert.Contains("turns", exception.Message, StringComparison.Ordinal);
        await RunAsync(holder, "rollback");
        await store.PurgeAsync(new RetentionOptions(), Cancellation);
    }

    // A registration that a busy machine stops keeps its rows locked for longer than the others wait.
    private static async Task<NodeRegistration[]?> TryRegisterAsync(INodeSession[] sessions, string name)
    {
        try
        {
            return await Task.WhenAll(
                sessions.Select(session => Task.Run(() => session.Register(Identity(name, isExplicit: true)), Cancellation)));
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    private static PeerHeartbeat Judged(Guid id) => new(id, "", 0, SaysItHoldsLock: true, LockIsHeld: false);

    private async Task<(INodeSession Session, Guid Id)> GivenNodeAsync(string name)
    {
        var store = await OpenStoreAsync();
        var session = Keep(store.OpenNodeSession());
        var identity = Identity(name);
        session.Register(identity);
        return (session, identity.Id);
    }

    private async Task<NpgsqlConnection> OpenConnectionAsync(string? application = null)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ConnectionString) { ApplicationName = application, Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!condition())
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
