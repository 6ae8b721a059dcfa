using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Nodes;

/// <summary>A node's life, step by step.</summary>
public sealed class NodeServiceTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly FakeStore _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void The_first_step_registers_and_beats()
    {
        var node = new NodeUnderTest(_store, _time, "alpha");

        var wait = node.Beat();

        Assert.Equal(TimeSpan.FromSeconds(1), wait);
        Assert.Equal("alpha", node.Life.Name);
        Assert.True(node.Row.Identity.NameIsExplicit);
        Assert.Equal(Environment.ProcessId, node.Row.Identity.ProcessId);
        Assert.Equal(LocalProcess.Started(Environment.ProcessId), node.Row.Identity.ProcessStarted);
        Assert.Equal(1, node.Row.Beat);
        Assert.True(node.Lease.IsValid);
        Assert.Equal(1, node.Node.NodesAlive);
    }

    [Fact]
    public void Without_a_given_name_it_is_called_by_machine_and_application()
    {
        var node = new NodeUnderTest(_store, _time, configure: options => options.NodeName = null);

        node.Beat();

        Assert.StartsWith($"{Environment.MachineName}/", node.Life.Name, StringComparison.Ordinal);
        Assert.False(node.Row.Identity.NameIsExplicit);
    }

    [Fact]
    public void A_second_process_with_the_name_of_a_living_one_warns_and_joins_unnamed()
    {
        var first = new NodeUnderTest(_store, _time, "alpha");
        var second = new NodeUnderTest(_store, _time, "alpha");
        first.Beat();

        second.Beat();

        Assert.Equal(second.Life.Id.ToString(), second.Life.Name);
        Assert.Equal(1, second.Log.Count(3002));
        Assert.True(first.Lease.IsValid);
    }

    [Fact]
    public async Task A_restarted_instance_takes_its_namesakes_work_at_once()
    {
        var first = new NodeUnderTest(_store, _time, "alpha");
        first.Beat();
        var firstRow = first.Row;
        first.Kill();
        var second = new NodeUnderTest(_store, _time, "alpha");

        second.Beat();

        Assert.True(firstRow.IsDead);
        Assert.Equal("alpha", second.Life.Name);
        Assert.Equal(1, second.Log.Count(3003));
        Assert.True(await second.Signals.SweepDue.WaitAsync(TimeSpan.Zero, _time, Cancellation));
    }

    [Fact]
    public async Task A_node_that_gets_no_heartbeat_through_cancels_its_tokens_half_a_second_before_the_grace()
    {
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        var lease = node.Lease;
        node.Session.Break();
        _store.Nodes.Refusal = new StoreUnavailableException("cut off");

        var after = _time.RunUntil(() => node.Life.Lease is null, TimeSpan.FromSeconds(20), node);

        Assert.Equal(2.25, after!.Value.TotalSeconds, tolerance: 0.05);
        await lease.Lost.FiresAsync();
        Assert.Equal(1, node.Log.Count(3006));
        Assert.Null(node.Life.End);
    }

    [Fact]
    public void Without_the_lock_the_deadline_is_three_seconds_before_the_lease()
    {
        _store.Traits = _store.Traits with { UsesSessionLocks = false };
        _store.Nodes.HasLocks = false;
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        _store.Nodes.BreakAllSessions();
        _store.Nodes.Refusal = new StoreUnavailableException("cut off");

        var after = _time.RunUntil(() => node.Life.Lease is null, TimeSpan.FromSeconds(20), node);

        Assert.Equal(12, after!.Value.TotalSeconds, precision: 1);
    }

    [Fact]
    public void A_refusal_by_the_server_moves_the_deadline_to_the_leases()
    {
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        node.Session.Break();
        _store.Nodes.Refusal = new StoreUnavailableException("starting up", new InvalidOperationException("proves it"));

        var after = _time.RunUntil(() => node.Life.Lease is null, TimeSpan.FromSeconds(20), node);

        Assert.Equal(12, after!.Value.TotalSeconds, precision: 1);
    }

    [Fact]
    public async Task The_deadline_passes_while_a_heartbeat_is_blocked_in_the_store()
    {
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        var lease = node.Lease;
        _time.Advance(TimeSpan.FromSeconds(1));
        var firedMeanwhile = false;
        node.Session.BeforeAnswer = () =>
        {
            _time.Advance(TimeSpan.FromSeconds(1.6));
            node.Node.WatchOnce();
            firedMeanwhile = !lease.IsValid;
        };

        node.Beat();

        Assert.True(firedMeanwhile);
        await lease.Lost.FiresAsync();
        Assert.NotSame(lease, node.Lease);
        Assert.Same(lease.Node, node.Life);
        Assert.Equal(1, node.Log.Count(3007));
    }

    [Fact]
    public async Task A_later_accepted_heartbeat_resumes_the_same_life()
    {
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        var (life, lease) = (node.Life, node.Lease);
        node.Session.Break();
        _store.Nodes.Refusal = new StoreUnavailableException("cut off");
        _time.Run(TimeSpan.FromSeconds(5), node);
        Assert.Null(life.Lease);
        _store.Nodes.Refusal = null;

        _time.Run(TimeSpan.FromSeconds(2), node);

        Assert.Same(life, node.Life);
        Assert.NotSame(lease, node.Lease);
        Assert.False(lease.IsValid);
        await lease.Lost.FiresAsync();
        Assert.False(node.Lease.Lost.IsCancellationRequested);
        Assert.True(node.Row.SaysItHoldsLock);
    }

    [Fact]
    public async Task A_refused_heartbeat_ends_the_life_and_the_node_joins_anew_with_another_id()
    {
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        var (life, lease) = (node.Life, node.Lease);
        node.Row.IsDead = true;

        var wait = node.Beat();
        Assert.Equal(TimeSpan.Zero, wait);
        Assert.Null(node.Node.Node);
        node.Beat();

        Assert.Equal(NodeEnd.DeclaredDead, life.End);
        await lease.Lost.FiresAsync();
        await life.Ended.FiresAsync();
        Assert.NotEqual(life.Id, node.Life.Id);
        Assert.True(node.Lease.IsValid);
        Assert.Equal(1, node.Log.Count(3008));
        Assert.Single(_store.Nodes.Sessions);
    }

    [Fact]
    public async Task A_database_that_lost_commits_ends_the_life_and_the_node_joins_anew()
    {
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        var (life, lease) = (node.Life, node.Lease);
        life.Claims.End(life.Claims.Begin(lease), fence: 7);

        Assert.Equal(ClaimAnswer.LostCommits, life.Claims.End(life.Claims.Begin(lease), fence: 7));
        node.Node.ReportLostCommits(life, 7);
        Assert.False(lease.IsValid);
        node.Beat();

        Assert.Equal(NodeEnd.LostCommits, life.End);
        await lease.Lost.FiresAsync();
        Assert.NotEqual(life.Id, node.Life.Id);
        Assert.Equal(1, node.Log.Count(3009));
    }

    [Fact]
    public async Task Every_reconnect_asks_for_a_comparison_of_claims()
    {
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        Assert.True(await node.Signals.ReconcileDue.WaitAsync(TimeSpan.Zero, _time, Cancellation));
        node.Beat();
        Assert.False(await node.Signals.ReconcileDue.WaitAsync(TimeSpan.Zero, _time, Cancellation));
        node.Session.Break();

        _time.Run(TimeSpan.FromSeconds(2), node);

        Assert.True(await node.Signals.ReconcileDue.WaitAsync(TimeSpan.Zero, _time, Cancellation));
    }

    [Fact]
    public async Task A_heartbeat_that_reports_claims_of_dead_nodes_requests_a_sweep()
    {
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        Assert.False(await node.Signals.SweepDue.WaitAsync(TimeSpan.Zero, _time, Cancellation));
        _store.Nodes.DeadWithClaims = true;

        node.Beat();

        Assert.True(await node.Signals.SweepDue.WaitAsync(TimeSpan.Zero, _time, Cancellation));
    }

    [Fact]
    public void A_broken_session_is_logged_once_and_tried_again_with_growing_pauses()
    {
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        node.Session.Break();
        _store.Nodes.Refusal = new StoreUnavailableException("down");

        TimeSpan[] waits = [node.Beat(), node.Beat(), node.Beat(), node.Beat(), node.Beat(), node.Beat(), node.Beat()];
        _store.Nodes.Refusal = null;
        node.Beat();

        Assert.Equal([50, 100, 200, 400, 800, 1000, 1000], waits.Select(wait => wait.TotalMilliseconds));
        Assert.Equal(1, node.OutageLog.Count(1002));
        Assert.Equal(1, node.OutageLog.Count(1003));
    }

    [Fact]
    public async Task Work_waits_for_the_start_up_hook_and_a_lease()
    {
        var node = new NodeUnderTest(_store, _time);
        var lease = node.Node.WaitForLeaseAsync(Cancellation);
        node.Beat();
        Assert.False(lease.IsCompleted);

        node.Gate.Open();

        Assert.Same(node.Lease, await lease);
    }

    [Fact]
    public async Task Its_own_threads_beat_and_it_says_goodbye_when_the_host_has_stopped()
    {
        var node = new NodeUnderTest(_store, _time);
        node.Node.Begin();
        var life = await node.Node.WaitForNodeAsync(Cancellation);

        await node.Node.StopAsync(Cancellation);

        Assert.True(_store.Nodes.Rows[life.Id].HasLeft);
        Assert.Equal(NodeEnd.Left, life.End);
        Assert.Empty(_store.Nodes.Sessions);
        Assert.Equal(1, node.Log.Count(3011));
    }

    [Fact]
    public async Task A_host_that_is_disposed_without_a_stop_does_not_say_goodbye_for_handlers_that_may_still_run()
    {
        var node = new NodeUnderTest(_store, _time);
        var lease = await BegunAsync(node);

        node.Node.Dispose();
        await lease.Lost.FiresAsync();

        Assert.False(_store.Nodes.Rows[lease.NodeId].HasLeft);
        Assert.False(lease.IsValid);
    }

    /// <summary>Where a free lock proves a death, others take the work at once.</summary>
    [Fact]
    public async Task The_lock_of_a_host_that_is_disposed_without_a_stop_is_held_until_its_last_handler_returns()
    {
        _store.Traits = _store.Traits with { LockProvesDeath = true };
        var node = new NodeUnderTest(_store, _time);
        var life = (await BegunAsync(node)).Node;
        life.RunBegins();
        life.RunBegins();

        node.Node.Dispose();
        await life.Ended.FiresAsync();
        await node.Node.StopAsync(Cancellation);
        life.RunEnded();
        var whileOneRuns = _store.Nodes.Holder(life.Id);
        life.RunEnded();

        Assert.NotNull(whileOneRuns);
        Assert.Null(_store.Nodes.Holder(life.Id));
    }

    [Fact]
    public async Task The_lock_is_also_held_until_the_last_handler_returns_if_the_session_was_broken_when_the_host_was_disposed()
    {
        _store.Traits = _store.Traits with { LockProvesDeath = true };
        var node = new NodeUnderTest(_store, _time);
        var life = (await BegunAsync(node)).Node;
        life.RunBegins();
        _store.Nodes.Refusal = new StoreUnavailableException("down");
        node.Session.Break();
        node.Node.ReportDead(life);
        Assert.True(SpinWait.SpinUntil(() => _store.Nodes.Sessions.Count == 0, TimeSpan.FromMinutes(2)));

        _store.Nodes.Refusal = null;
        node.Node.Dispose();
        await life.Ended.FiresAsync();
        await node.Node.StopAsync(Cancellation);
        var whileItRuns = _store.Nodes.Holder(life.Id);
        life.RunEnded();

        Assert.NotNull(whileItRuns);
        Assert.Null(_store.Nodes.Holder(life.Id));
    }

    /// <summary>After a restore into the living file, the row of the registration that has ended may say that it is alive.</summary>
    [Fact]
    public void The_lock_of_a_registration_ended_by_lost_commits_is_held_until_its_last_handler_returns()
    {
        _store.Traits = _store.Traits with { LockProvesDeath = true };
        var node = new NodeUnderTest(_store, _time);
        node.Beat();
        var before = node.Life;
        before.RunBegins();

        node.Node.ReportLostCommits(before, fence: 1);
        node.Beat();
        var whileItRuns = _store.Nodes.Holder(before.Id);
        before.RunEnded();

        Assert.NotNull(whileItRuns);
        Assert.Null(_store.Nodes.Holder(before.Id));
        Assert.NotEqual(before.Id, node.Life.Id);
        Assert.NotNull(_store.Nodes.Holder(node.Life.Id));
    }

    [Fact]
    public async Task The_lock_of_a_node_that_could_not_leave_is_held_until_its_last_handler_returns()
    {
        _store.Traits = _store.Traits with { LockProvesDeath = true };
        var node = new NodeUnderTest(_store, _time);
        var life = (await BegunAsync(node)).Node;
        life.RunBegins();
        node.Session.BeforeLeave = static () => throw new StoreUnavailableException("locked");

        await node.Node.StopAsync(Cancellation);
        var whileItRuns = _store.Nodes.Holder(life.Id);
        life.RunEnded();

        Assert.NotNull(whileItRuns);
        Assert.Null(_store.Nodes.Holder(life.Id));
    }

    [Fact]
    public async Task The_lock_of_a_host_that_is_disposed_without_a_stop_is_free_at_once_if_nothing_runs()
    {
        _store.Traits = _store.Traits with { LockProvesDeath = true };
        var node = new NodeUnderTest(_store, _time);
        var life = (await BegunAsync(node)).Node;

        node.Node.Dispose();
        await life.Ended.FiresAsync();
        await node.Node.StopAsync(Cancellation);

        Assert.Null(_store.Nodes.Holder(life.Id));
    }

    private static async Task<NodeLease> BegunAsync(NodeUnderTest node)
    {
        node.Gate.Open();
        node.Node.Begin();
        return await node.Node.WaitForLeaseAsync(Cancellation);
    }
}
