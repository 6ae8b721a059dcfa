using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>A heartbeat and a verdict change different rows. They meet at the row of the node, which both of them lock.</summary>
public sealed class HeartbeatTests : PostgreSqlStoreTests
{
    private const string LockAll = "begin; select from taskrecovery.heartbeats for update";

    [Fact]
    public async Task A_node_whose_heartbeat_is_being_stored_is_not_declared_dead()
    {
        var store = await OpenStoreAsync();
        var (watcher, _) = GivenNode(store, "watcher");
        var (node, id) = GivenNode(store, "node");
        await using var holder = await ConnectAsync();
        await RunAsync(holder, LockAll);
        var heartbeat = Task.Run(() => node.SendHeartbeat(id, holdsLock: true), Cancellation);
        await UntilWaitingAsync(1);

        var meanwhile = watcher.MarkDead([Judged(id)]);
        await RunAsync(holder, "rollback");

        Assert.Empty(meanwhile);
        Assert.True((await heartbeat).Accepted);
        Assert.Empty(watcher.MarkDead([Judged(id)]));
        Assert.True(node.SendHeartbeat(id, holdsLock: true).Accepted);
    }

    // The statement that takes the lock has its snapshot, and does not have the lock yet.
    [Fact]
    public async Task A_heartbeat_just_before_the_lock_of_a_verdict_saves_the_node()
    {
        const string OnDisk = "(select set_config('synchronous_commit', 'local', true)) is not null";
        const string Gate = "(select count(*) from pg_advisory_xact_lock_shared(4711)) = 1";
        Assert.Contains(OnDisk, NodeSql.LockJudged, StringComparison.Ordinal);
        var (node, id) = GivenNode(await OpenStoreAsync(), "node");
        await using var holder = await ConnectAsync();
        await RunAsync(holder, "select pg_advisory_lock(4711)");
        await using var judge = await ConnectAsync();
        await RunAsync(judge, "begin");
        var locking = RunAsync(judge, NodeSql.LockJudged.Replace(OnDisk, Gate, StringComparison.Ordinal), Ids(id));
        await UntilWaitingAsync(1);

        var before = node.SendHeartbeat(id, holdsLock: true);
        await RunAsync(holder, "select pg_advisory_unlock(4711)");
        await locking;
        await RunAsync(judge, NodeSql.MarkDead, Verdict(id, heartbeat: 0));
        await RunAsync(judge, "commit");

        Assert.True(before.Accepted);
        Assert.True(node.SendHeartbeat(id, holdsLock: true).Accepted);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(7, true)]
    public async Task A_heartbeat_that_waits_for_a_verdict_is_accepted_only_if_the_node_is_spared(long judged, bool isSpared)
    {
        var (node, id) = GivenNode(await OpenStoreAsync(), "node");
        await using var judge = await ConnectAsync();
        await RunAsync(judge, "begin");
        await RunAsync(judge, NodeSql.LockJudged, Ids(id));

        var heartbeat = Task.Run(() => node.SendHeartbeat(id, holdsLock: true), Cancellation);
        await UntilWaitingAsync(1);
        await RunAsync(judge, NodeSql.MarkDead, Verdict(id, judged));
        await RunAsync(judge, "commit");

        Assert.Equal(isSpared, (await heartbeat).Accepted);
    }

    [Fact]
    public async Task A_namesake_that_sends_a_heartbeat_while_its_row_is_awaited_is_not_taken_over()
    {
        var store = await OpenStoreAsync();
        var first = Identity("name", isExplicit: true);
        var gone = Keep(store.OpenNodeSession());
        gone.Register(first);
        gone.Dispose();
        await UntilAsync(async () => await ScalarAsync<long>(
            "select count(*) from pg_locks l join taskrecovery.nodes n on ((l.classid::bigint << 32) | l.objid::bigint) = n.lock_key "
            + "where l.locktype = 'advisory'") == 0);
        await using var holder = await ConnectAsync();
        await RunAsync(holder, $"begin; select from taskrecovery.nodes where id = '{first.Id}' for key share");

        var restarted = Keep(store.OpenNodeSession());
        var registering = Task.Run(() => restarted.Register(Identity("name", isExplicit: true)), Cancellation);
        await UntilWaitingAsync(1, orEnded: registering);
        var again = Keep(store.OpenNodeSession());
        var heartbeat = again.SendHeartbeat(first.Id, holdsLock: false);
        await RunAsync(holder, "rollback");
        var registration = await registering;

        Assert.True(heartbeat.Accepted);
        Assert.True(registration.NameTaken);
        Assert.Empty(registration.TakenOver);
        Assert.True(again.SendHeartbeat(first.Id, holdsLock: false).Accepted);
    }

    // The session of the first was given up, and the server has not noticed it.
    [Fact]
    public async Task Two_heartbeats_of_one_node_at_once_are_accepted()
    {
        var store = await OpenStoreAsync();
        var (node, id) = GivenNode(store, "node");
        var next = Keep(store.OpenNodeSession());
        await using var holder = await ConnectAsync();
        await RunAsync(holder, LockAll);
        var first = Task.Run(() => node.SendHeartbeat(id, holdsLock: true), Cancellation);
        await UntilWaitingAsync(1);
        var second = Task.Run(() => next.SendHeartbeat(id, holdsLock: false), Cancellation);
        await UntilWaitingAsync(2);

        await RunAsync(holder, "rollback");

        Assert.All(await Task.WhenAll(first, second), static answer => Assert.True(answer.Accepted));
        Assert.Equal(1L, await ScalarAsync<long>("select beat from taskrecovery.heartbeats"));
        Assert.True(next.SendHeartbeat(id, holdsLock: false).Accepted);
        Assert.Equal(2L, await ScalarAsync<long>("select beat from taskrecovery.heartbeats"));
    }

    [Fact]
    public async Task A_node_whose_row_of_heartbeats_was_deleted_is_refused_before_it_is_declared_dead()
    {
        var store = await OpenStoreAsync();
        var (watcher, watcherId) = GivenNode(store, "watcher");
        var (node, id) = GivenNode(store, "node");
        Assert.True(node.SendHeartbeat(id, holdsLock: true).Accepted);
        await ExecuteAsync(
            $"delete from taskrecovery.heartbeats where node = (select number from taskrecovery.nodes where id = '{id}')");

        var refused = node.SendHeartbeat(id, holdsLock: true);
        var peer = Assert.Single(watcher.SendHeartbeat(watcherId, holdsLock: true).Peers);

        Assert.False(refused.Accepted);
        Assert.Equal((id, 0L, false, false), (peer.NodeId, peer.Heartbeat, peer.SaysItHoldsLock, peer.LockIsHeld));
        Assert.Equal([id], watcher.MarkDead([Judged(id)]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_row_of_a_node_that_left_or_died_has_its_last_heartbeat(bool isLeaving)
    {
        var store = await OpenStoreAsync();
        var (watcher, _) = GivenNode(store, "watcher");
        var (node, id) = GivenNode(store, "node");
        node.SendHeartbeat(id, holdsLock: true, vitals: """{"a":1}""");
        var last = await ScalarAsync<string>(
            "select (h.beat_at, h.holds_lock, h.backend, h.vitals)::text from taskrecovery.heartbeats h "
            + $"join taskrecovery.nodes n on n.number = h.node where n.id = '{id}'");

        if (isLeaving)
        {
            node.Leave(id);
        }
        else
        {
            Assert.Equal([id], watcher.MarkDead([Judged(id, heartbeat: 1)]));
        }

        Assert.Equal(last, await ScalarAsync<string>(
            $"select (n.beat_at, n.holds_lock, n.backend, n.vitals)::text from taskrecovery.nodes n where n.id = '{id}'"));
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.heartbeats"));
    }

    [Fact]
    public async Task A_locked_row_of_heartbeats_delays_no_verdict()
    {
        var store = await OpenStoreAsync();
        var (watcher, watcherId) = GivenNode(store, "watcher");
        var (_, id) = GivenNode(store, "node");
        await using var holder = await ConnectAsync();
        await RunAsync(holder, LockAll);

        Assert.Equal([id], watcher.MarkDead([Judged(id)]));

        await RunAsync(holder, "rollback");
        Assert.Empty(watcher.SendHeartbeat(watcherId, holdsLock: true).Peers);
    }

    private static PeerHeartbeat Judged(Guid id, long heartbeat = 0) => new(id, "", heartbeat, SaysItHoldsLock: true, LockIsHeld: false);

    private static NpgsqlParameter Ids(Guid id) => Arg.Array([id], NpgsqlDbType.Uuid);

    private static NpgsqlParameter[] Verdict(Guid id, long heartbeat) =>
    [
        Ids(id), Arg.Array([heartbeat], NpgsqlDbType.Bigint), Arg.Array([(short)DeathProof.LeaseExpired], NpgsqlDbType.Smallint),
        Arg.Text("judge"), Ids(id),
    ];

    private (INodeSession Session, Guid Id) GivenNode(PostgreSqlQueueStore store, string name)
    {
        var session = Keep(store.OpenNodeSession());
        var identity = Identity(name);
        session.Register(identity);
        return (session, identity.Id);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string statement, params NpgsqlParameter[] args)
    {
        await using var command = new NpgsqlCommand(
            statement.Replace("{schema}", "taskrecovery", StringComparison.Ordinal), connection);
        command.Parameters.AddRange(args);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private Task UntilWaitingAsync(int statements, Task? orEnded = null)
        => UntilAsync(async () => orEnded?.IsCompleted == true || await ScalarAsync<long>(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") >= statements);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while (!await condition())
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
