using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Recovery;

/// <summary>Tests nodes: heartbeats, locks, final deaths, and names.</summary>
public abstract class NodeSessionTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public void A_node_that_registers_is_seen_by_the_others()
    {
        var node = GivenNode("alpha");
        var other = GivenNode("beta");

        var peers = other.Beat().Peers;

        var peer = Assert.Single(peers);
        Assert.Equal((node.Id, "alpha"), (peer.NodeId, peer.Name));
        Assert.False(node.Registration.NameTaken);
        Assert.Empty(node.Registration.TakenOver);
        Assert.Equal(Store.Traits.UsesSessionLocks, node.Registration.HoldsLock);
        Assert.Equal(Store.Traits.UsesSessionLocks, peer.LockIsHeld);
        Assert.Equal(Store.Traits.UsesSessionLocks, peer.SaysItHoldsLock);
    }

    [Fact]
    public void Each_beat_raises_the_counter()
    {
        var node = GivenNode();
        var before = Watch(node)!.Value.Heartbeat;

        node.Beat();
        var between = Watch(node)!.Value.Heartbeat;
        var silent = Watch(node)!.Value.Heartbeat;
        node.Beat();

        Assert.True(between > before);
        Assert.Equal(between, silent);
        Assert.True(Watch(node)!.Value.Heartbeat > between);
    }

    [Fact]
    public void A_heartbeat_under_a_valid_lease_raises_the_counter_too()
    {
        var node = GivenNode();
        var before = Watch(node)!.Value.Heartbeat;

        Assert.True(node.Session.SendHeartbeat(node.Id, node.Registration.HoldsLock, static () => true).Accepted);

        var after = Watch(node)!.Value.Heartbeat;
        Assert.True(after > before);
        Assert.False(Judge.Session.MarkDead(node.Id, before));
        Assert.True(Judge.Session.MarkDead(node.Id, after));
        Assert.False(node.Session.SendHeartbeat(node.Id, node.Registration.HoldsLock, static () => true).Accepted);
    }

    [Fact]
    public void A_heartbeat_that_reads_no_peers_is_a_heartbeat()
    {
        var node = GivenNode();
        var before = Watch(node)!.Value.Heartbeat;

        var heartbeat = node.Session.SendHeartbeatOnly(node.Id, node.Registration.HoldsLock, static () => true);
        var after = Watch(node)!.Value.Heartbeat;
        Assert.True(Judge.Session.MarkDead(node.Id, after));
        var last = node.Session.SendHeartbeatOnly(node.Id, node.Registration.HoldsLock, static () => true);

        Assert.True(heartbeat.Accepted);
        Assert.True(after > before);
        Assert.Equal(heartbeat.HasPeers, heartbeat.Peers.Count > 0);
        Assert.False(last.Accepted);
    }

    [Fact]
    public void A_heartbeat_reports_whether_its_node_holds_its_lock()
    {
        var node = GivenNode();

        node.Session.SendHeartbeat(node.Id, false);

        Assert.False(Watch(node)!.Value.SaysItHoldsLock);
    }

    [Fact]
    public void The_lock_is_free_when_the_session_is_gone()
    {
        var node = GivenNode();
        var before = Watch(node)!.Value;

        node.Close();

        Assert.Equal(Store.Traits.UsesSessionLocks, before.LockIsHeld);
        WaitUntil(() => !Watch(node)!.Value.LockIsHeld, "the lock of a closed session is free");
        Assert.Equal(before.Heartbeat, Watch(node)!.Value.Heartbeat);
    }

    [Fact]
    public void A_new_session_takes_the_lock_once_the_old_one_is_gone()
    {
        var node = GivenNode();
        using var session = Store.OpenNodeSession();
        var whileHeld = Store.Traits.UsesSessionLocks && session.TryHold(node.Id);

        node.Close();

        Assert.False(whileHeld);
        if (Store.Traits.UsesSessionLocks)
        {
            WaitUntil(() => session.TryHold(node.Id), "the lock can be taken");
            Assert.True(session.SendHeartbeat(node.Id, true).Accepted);
            Assert.True(Watch(node)!.Value is { LockIsHeld: true, SaysItHoldsLock: true });
        }
        else
        {
            Assert.True(session.SendHeartbeat(node.Id, false).Accepted);
        }
    }

    [Fact]
    public void A_death_is_final_and_the_dead_node_is_told()
    {
        var node = GivenNode();

        Die(node);

        Assert.Null(Watch(node));
        using var session = Store.OpenNodeSession();
        Assert.False(session.SendHeartbeat(node.Id, false).Accepted);
        Assert.False(session.SendHeartbeat(node.Id, false).Accepted);
        Assert.Null(Watch(node));
    }

    [Fact]
    public void A_death_is_declared_once()
    {
        var node = GivenNode();
        var heartbeat = Watch(node)!.Value.Heartbeat;

        Assert.True(Judge.Session.MarkDead(node.Id, heartbeat));
        Assert.False(Judge.Session.MarkDead(node.Id, heartbeat));
    }

    [Fact]
    public void A_beat_since_the_judgement_saves_the_node()
    {
        var node = GivenNode();
        var heartbeat = Watch(node)!.Value.Heartbeat;
        node.Beat();

        Assert.False(Judge.Session.MarkDead(node.Id, heartbeat));

        Assert.True(node.Beat().Accepted);
        Assert.NotNull(Watch(node));
    }

    [Fact]
    public async Task Of_a_heartbeat_and_a_judgement_at_once_one_wins()
    {
        for (var round = 0; round < 10; round++)
        {
            var node = GivenNode();
            var heartbeat = Watch(node)!.Value.Heartbeat;
            var beating = Task.Run(() => TryBeat(node), Cancellation);

            var dead = Judge.Session.MarkDead(node.Id, heartbeat);

            Assert.NotEqual(dead, await beating);
        }
    }

    [Fact]
    public void A_node_that_nobody_knows_is_not_alive()
    {
        using var session = Store.OpenNodeSession();

        Assert.False(session.SendHeartbeat(Guid.NewGuid(), false).Accepted);
        Assert.False(session.MarkDead(Guid.NewGuid(), 1));
    }

    [Fact]
    public void A_node_that_left_is_gone_at_once()
    {
        var node = GivenNode();

        node.Session.Leave(node.Id);

        Assert.Null(Watch(node));
        Assert.False(TryBeat(node));
    }

    [Fact]
    public async Task An_explicit_name_takes_over_from_its_previous_life_at_once()
    {
        var first = GivenNode(Identity("service"));
        var held = await GivenClaimedAsync(first);
        WatchAndClose(first);

        var second = GivenNode(Identity("service"));

        if (Store.Traits.UsesSessionLocks)
        {
            Assert.Equal([first.Id], second.Registration.TakenOver);
            Assert.False(second.Registration.NameTaken);
            Assert.Equal(held.Id, Assert.Single((await SweepAsync()).Items).EntryId);
        }
        else
        {
            Assert.Empty(second.Registration.TakenOver);
        }
    }

    [Fact]
    public void An_explicit_name_takes_over_from_a_machine_that_it_cannot_look_at()
    {
        var first = GivenNode(Identity("service") with { Machine = "elsewhere", ProcessId = int.MaxValue });
        WatchAndClose(first);

        var second = GivenNode(Identity("service"));

        Assert.Equal(Store.Traits.UsesSessionLocks ? [first.Id] : [], second.Registration.TakenOver);
        Assert.False(Store.Traits.UsesSessionLocks && second.Registration.NameTaken);
    }

    [Fact]
    public void A_second_process_with_the_name_of_a_living_one_joins_unnamed()
    {
        var first = GivenNode(Identity("service"));

        var second = GivenNode(Identity("service"));

        Assert.True(second.Registration.NameTaken);
        Assert.Empty(second.Registration.TakenOver);
        Assert.True(first.Beat().Accepted);
        Assert.True(second.Beat().Accepted);
    }

    [Theory]
    [InlineData("service")]
    [InlineData("")]
    public async Task A_node_that_joined_unnamed_is_shown_by_its_id(string name)
    {
        GivenNode(Identity(name));
        var unnamed = GivenNode(Identity(name));

        var shownToPeers = Watch(unnamed)!.Value.Name;
        var held = await GivenClaimedAsync(unnamed);
        var whileRunning = (await FindAsync(held.Id)).Node;
        await FinishAsync(held);
        var ended = (await FindAsync(held.Id)).Node;
        await GivenClaimedAsync(unnamed);
        var report = await DieAndSweepAsync(unnamed);

        Assert.All(
            [shownToPeers, whileRunning, ended, Assert.Single(report.Items).Node], shown => Assert.Equal(unnamed.Id.ToString(), shown));
    }

    [Fact]
    public async Task A_node_with_an_empty_name_is_shown_by_its_id()
    {
        var node = GivenNode(Identity(""));

        var held = await GivenClaimedAsync(node);

        Assert.Equal(node.Id.ToString(), (await FindAsync(held.Id)).Node);
        Assert.Equal(node.Id.ToString(), Watch(node)!.Value.Name);
    }

    [Fact]
    public void Nobody_takes_over_from_a_node_that_joined_unnamed()
    {
        var first = GivenNode(Identity("service"));
        var unnamed = GivenNode(Identity("service"));
        WatchAndClose(unnamed);

        var third = GivenNode(Identity("service"));

        Assert.True(third.Registration.NameTaken);
        Assert.Empty(third.Registration.TakenOver);
        Assert.NotNull(Watch(unnamed));
        Assert.True(first.Beat().Accepted);
    }

    [Fact]
    public void A_namesake_that_did_not_say_it_held_its_lock_is_not_taken_over()
    {
        var first = GivenNode(Identity("service"));
        first.Session.SendHeartbeat(first.Id, false);
        WatchAndClose(first);

        var second = GivenNode(Identity("service"));

        Assert.Empty(second.Registration.TakenOver);
        Assert.NotNull(Watch(first));
    }

    [Fact]
    public void A_default_name_takes_over_when_the_recorded_process_is_gone()
    {
        var first = GivenNode(Identity("machine/app", isExplicit: false) with { ProcessId = int.MaxValue, ProcessStarted = 1 });
        WatchAndClose(first);

        var second = GivenNode(Identity("machine/app", isExplicit: false));

        Assert.Equal(Store.Traits.UsesSessionLocks ? [first.Id] : [], second.Registration.TakenOver);
    }

    [Fact]
    public void A_default_name_takes_over_from_a_machine_that_it_cannot_look_at_only_if_a_free_lock_proves_the_death()
    {
        var first = GivenNode(Identity("app", isExplicit: false) with { Machine = "elsewhere", ProcessId = int.MaxValue });
        WatchAndClose(first);

        var second = GivenNode(Identity("app", isExplicit: false));

        Assert.Equal(Store.Traits.LockProvesDeath ? [first.Id] : [], second.Registration.TakenOver);
        Assert.Equal(Store.Traits.LockProvesDeath, Watch(first) is null);
    }

    [Fact]
    public void A_name_is_free_again_when_its_node_has_died_or_left()
    {
        var first = GivenNode(Identity("service"));
        Die(first);
        var second = GivenNode(Identity("service"));
        second.Session.Leave(second.Id);

        var third = GivenNode(Identity("service"));

        Assert.False(second.Registration.NameTaken);
        Assert.False(third.Registration.NameTaken);
        Assert.Equal("service", Watch(third)!.Value.Name);
    }

    /// <summary>Returns whether a heartbeat was accepted. A store may end the sessions of a node that was declared dead.</summary>
    private static bool TryBeat(TestNode node)
    {
        try
        {
            return node.Beat().Accepted;
        }
        catch (TaskRecoveryException)
        {
            return false;
        }
    }

    /// <summary>Closes a node's session and waits until its lock is seen as free.</summary>
    private void WatchAndClose(TestNode node)
    {
        Judge.Beat();
        node.Close();
        WaitUntil(() => !Watch(node)!.Value.LockIsHeld, "the lock of a closed session is free");
    }
}
