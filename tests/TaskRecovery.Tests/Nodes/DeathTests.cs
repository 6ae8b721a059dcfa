using TaskRecovery.Nodes;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Nodes;

/// <summary>Several nodes on one table: how fast a death is noticed, and that nobody is declared dead while its tokens have not
/// fired.</summary>
public sealed class DeathTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly FakeStore _store = new();

    [Fact]
    public void A_killed_node_is_declared_dead_after_the_grace_and_not_only_with_the_next_heartbeat()
    {
        List<double> seconds = [];
        for (var phase = 0; phase < 20; phase++)
        {
            var (victim, first, second) = Three();
            _time.Run(TimeSpan.FromMilliseconds(1_000 + (phase * 50)), victim, first, second);
            var row = victim.Row;
            victim.Kill();

            seconds.Add(_time.RunUntil(() => row.IsDead, TimeSpan.FromSeconds(20), first, second)!.Value.TotalSeconds);

            first.Row.IsDead = second.Row.IsDead = true;
        }

        seconds.Sort();
        Assert.InRange(seconds[seconds.Count / 2], 2, 3);
        Assert.InRange(seconds[^1], 2, 4);
    }

    [Fact]
    public void The_moment_the_grace_ends_is_not_missed_because_answers_take_a_while()
    {
        var (victim, watcher, _) = Three();
        watcher.Session.BeforeAnswer = () => _time.Advance(TimeSpan.FromMilliseconds(4));
        _time.Run(TimeSpan.FromSeconds(3), victim, watcher);
        var row = victim.Row;
        victim.Kill();

        var died = _time.RunUntil(() => row.IsDead, TimeSpan.FromSeconds(20), watcher);

        Assert.InRange(died!.Value.TotalSeconds, 2, 3.6);
    }

    [Fact]
    public void A_server_that_turns_newcomers_away_while_old_sessions_go_on_lets_nobody_be_judged_by_the_grace()
    {
        var (cutOff, first, second) = Three();
        _time.Run(TimeSpan.FromSeconds(3), cutOff, first, second);
        var (row, lease) = (cutOff.Row, cutOff.Lease);
        cutOff.Session.Break();
        _store.Nodes.Refusal = new StoreUnavailableException("shutting down", new InvalidOperationException("proves it"));

        var stopped = _time.RunUntil(() => !lease.IsValid, TimeSpan.FromSeconds(20), cutOff, first, second);
        Assert.InRange(stopped!.Value.TotalSeconds, 11, 12);
        Assert.False(row.IsDead);
        var died = _time.RunUntil(() => row.IsDead, TimeSpan.FromSeconds(20), cutOff, first, second);

        Assert.InRange(stopped.Value.TotalSeconds + died!.Value.TotalSeconds, 14, 17);
    }

    [Fact]
    public void A_node_cut_off_with_its_lock_held_has_cancelled_its_tokens_long_before_it_is_declared_dead()
    {
        var (victim, first, second) = Three();
        _time.Run(TimeSpan.FromSeconds(3), victim, first, second);
        var (row, lease) = (victim.Row, victim.Lease);

        var died = _time.RunUntil(() => row.IsDead, TimeSpan.FromSeconds(30), first, second);

        Assert.InRange(died!.Value.TotalSeconds, 14, 17);
        Assert.False(lease.IsValid);
    }

    [Fact]
    public void After_a_server_restart_everyone_lives_on()
    {
        var (one, two, three) = Three();
        _time.Run(TimeSpan.FromSeconds(3), one, two, three);
        var lives = new[] { one.Life, two.Life, three.Life };
        _store.Nodes.BreakAllSessions();
        _store.Nodes.Refusal = new StoreUnavailableException("starting up", new InvalidOperationException("proves it"));
        _time.Run(TimeSpan.FromSeconds(8), one, two, three);
        _store.Nodes.Refusal = null;

        _time.Run(TimeSpan.FromSeconds(20), one, two, three);

        Assert.Equal(lives, [one.Life, two.Life, three.Life]);
        Assert.All(new[] { one, two, three }, node => Assert.True(node.Row.SaysItHoldsLock));
        Assert.All(new[] { one, two, three }, node => Assert.Equal(0, node.Log.Count(3006)));
    }

    [Theory]
    [InlineData(40, 1)]
    [InlineData(250, 3)]
    public void In_a_large_fleet_nodes_read_each_other_seldom_and_notice_a_death_as_early(int count, int every)
    {
        var nodes = new NodeUnderTest[count];
        for (var i = 0; i < count; i++)
        {
            nodes[i] = new NodeUnderTest(_store, _time);
            nodes[i].Beat();
            _time.Advance(TimeSpan.FromMilliseconds(1_000.0 / count));
        }

        _time.Run(TimeSpan.FromSeconds(2 * every), nodes);
        var before = _store.Nodes.Heartbeats;
        _time.Run(TimeSpan.FromSeconds(2 * every), nodes);
        var (all, reads) = (_store.Nodes.Heartbeats.All - before.All, _store.Nodes.Heartbeats.Reads - before.Reads);
        var row = nodes[^1].Row;
        nodes[^1].Kill();
        var died = _time.RunUntil(() => row.IsDead, TimeSpan.FromSeconds(20), nodes[..^1]);

        Assert.InRange((double)all / reads, every * 0.9, every * 1.1);
        Assert.InRange(died!.Value.TotalSeconds, 1.5, 3);
        Assert.Equal(count - 1, _store.Nodes.Rows.Values.Count(static other => !other.IsDead));
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(100, 1, 1)]
    [InlineData(101, 1, 2)]
    [InlineData(300, 1, 3)]
    [InlineData(400, 1, 3)]
    [InlineData(5_000, 1, 3)]
    [InlineData(1_000, 2, 1)]
    [InlineData(1_000, 5, 1)]
    public void Nodes_read_each_other_seldom_only_as_far_as_deaths_are_noticed(int nodes, int heartbeatSeconds, int every)
        => Assert.Equal(every, PeerReads.Every(nodes, new NodeOptions { HeartbeatInterval = TimeSpan.FromSeconds(heartbeatSeconds) }));

    [Fact]
    public void A_node_that_slept_and_wakes_declares_nobody_dead()
    {
        var (sleeper, first, second) = Three();
        _time.Run(TimeSpan.FromSeconds(3), sleeper, first, second);
        _time.Run(TimeSpan.FromSeconds(4), first, second);
        var lives = new[] { first.Life, second.Life };

        sleeper.Beat();

        Assert.Equal(0, sleeper.Log.Count(3010));
        Assert.Equal(lives, [first.Life, second.Life]);
    }

    [Fact]
    public async Task A_stopped_process_wakes_after_its_death_with_nothing_it_may_start()
    {
        var (sleeper, first, second) = Three();
        _time.Run(TimeSpan.FromSeconds(3), sleeper, first, second);
        var (life, lease) = (sleeper.Life, sleeper.Lease);
        _time.Run(TimeSpan.FromSeconds(20), first, second);

        Assert.False(lease.IsValid);
        sleeper.Beat();
        sleeper.Beat();

        await lease.Lost.FiresAsync();
        Assert.NotEqual(life.Id, sleeper.Life.Id);
    }

    [Fact]
    public void Nodes_that_die_together_are_declared_dead_in_one_call()
    {
        var nodes = Enumerable.Range(0, 30).Select(_ => new NodeUnderTest(_store, _time)).ToArray();
        Array.ForEach(nodes, node => node.Beat());
        _time.Run(TimeSpan.FromSeconds(3), nodes);
        var (survivor, lease) = (nodes[0], nodes[0].Lease);
        var rows = nodes[1..].Select(node => node.Row).ToList();
        Array.ForEach(nodes[1..], node => node.Kill());
        survivor.Session.BeforeVerdict = () => _time.Advance(TimeSpan.FromMilliseconds(100));

        _time.RunUntil(() => rows.TrueForAll(row => row.IsDead), TimeSpan.FromSeconds(20), survivor);

        Assert.Equal(29, Assert.Single(_store.Nodes.Verdicts));
        Assert.True(lease.IsValid);
        Assert.Equal(29, survivor.Log.Count(3010));
        Assert.Equal(
            29, survivor.Log.Texts.Count(static text => text.Contains("dead, because its lock is free;", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_node_in_the_middle_of_a_claim_is_declared_dead_as_soon_as_that_has_ended()
    {
        var (victim, watcher, _) = Three();
        _time.Run(TimeSpan.FromSeconds(3), victim, watcher);
        var (row, session, lease) = (victim.Row, watcher.Session, watcher.Lease);
        row.IsClaiming = true;
        victim.Kill();

        Assert.Null(_time.RunUntil(() => row.IsDead, TimeSpan.FromSeconds(30), watcher));
        row.IsClaiming = false;
        var died = _time.RunUntil(() => row.IsDead, TimeSpan.FromSeconds(20), watcher);

        Assert.InRange(died!.Value.TotalSeconds, 0, 1.1);
        Assert.Same(session, watcher.Session);
        Assert.True(lease.IsValid);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    public void Whatever_breaks_no_node_with_a_valid_lease_is_declared_dead(int seed)
    {
        var random = new Random(seed);
        var (one, two, three) = Three();
        NodeUnderTest[] nodes = [one, two, three];
        var awake = nodes.ToDictionary(node => node, _ => 0);
        var deaths = 0;
        _time.Run(TimeSpan.FromSeconds(2), nodes);
        for (var tick = 0; tick < 60_000; tick++)
        {
            if (random.Next(400) == 0)
            {
                Harm(random, awake, nodes[random.Next(3)]);
            }

            foreach (var node in nodes)
            {
                // A stopped process neither heartbeats nor looks at its deadline.
                if (--awake[node] > 0)
                {
                    continue;
                }

                var before = nodes.Where(other => other.Node.Node is not null).Select(
                    other => (Other: other, other.Life, Valid: other.Life.Lease is not null)).ToList();
                node.BeatIfDue();
                node.Node.WatchOnce();
                foreach (var (other, life, valid) in before.Where(was => was.Other != node
                    && _store.Nodes.Rows[was.Life.Id].IsDead && was.Life.End is null))
                {
                    deaths++;
                    Assert.False(valid, $"Seed {seed}, tick {tick}: {life.Id} was declared dead while its lease was valid.");
                }
            }

            _time.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.True(deaths > 0, "No node died: the harm did nothing.");
    }

    private void Harm(Random random, Dictionary<NodeUnderTest, int> awake, NodeUnderTest node)
    {
        switch (random.Next(6))
        {
            case 0:
                awake[node] = random.Next(100, 3_000);
                break;
            case 1 when node.Node.Node is { } life && _store.Nodes.Holder(life.Id) is { } session:
                session.Break();
                break;
            case 2:
                _store.Nodes.BreakAllSessions();
                break;
            case 3:
                // The server stops, at once or first for newcomers only: what it says to those who try proves that nobody else gets in.
                if (random.Next(2) == 0)
                {
                    _store.Nodes.BreakAllSessions();
                }
                else if (node.Node.Node is { } cutOff)
                {
                    _store.Nodes.Holder(cutOff.Id)?.Break();
                }

                _store.Nodes.Refusal = new StoreUnavailableException("starting up", new InvalidOperationException("proves it"));
                break;
            case 4 when node.Node.Node is { } life && _store.Nodes.Holder(life.Id) is { } session:
                session.BeforeAnswer = () =>
                {
                    session.BeforeAnswer = null;
                    session.Break();
                };
                break;
            default:
                if (_store.Nodes.Refusal is { InnerException: not null })
                {
                    // A server that has begun to stop lets newcomers in again only as another one, without the old sessions.
                    _store.Nodes.BreakAllSessions();
                }

                _store.Nodes.Refusal = _store.Nodes.Refusal is null ? new StoreUnavailableException("no route") : null;
                break;
        }
    }

    private (NodeUnderTest One, NodeUnderTest Two, NodeUnderTest Three) Three()
    {
        var nodes = new NodeUnderTest[3];
        for (var i = 0; i < nodes.Length; i++)
        {
            nodes[i] = new NodeUnderTest(_store, _time);
            nodes[i].Beat();
            _time.Run(TimeSpan.FromMilliseconds(330), nodes[..(i + 1)]);
        }

        return (nodes[0], nodes[1], nodes[2]);
    }
}
