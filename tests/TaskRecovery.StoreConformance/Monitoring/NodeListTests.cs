using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>The list of nodes.</summary>
public abstract class NodeListTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_node_shows_what_it_said_when_it_joined_and_what_it_holds()
    {
        var identity = Identity("worker") with
        {
            Info =
                """{"library":"1.2.3","application":"4.5","heartbeat_ms":2000,"queues":{"default":20,"mail":5},"kinds":["work","mail"]}""",
        };
        var node = GivenNode(identity);
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await FinishAsync(node, Outcome(ids[0], fence));

        var listed = Assert.Single(await Monitor.ListNodesAsync(Cancellation));

        Assert.Equal((node.Id, "worker", NodeState.Alive), (listed.Id, listed.Name, listed.State));
        Assert.Equal(
            (identity.Machine, identity.ProcessId, "1.2.3", "4.5"),
            (listed.Machine, listed.ProcessId, listed.LibraryVersion, listed.ApplicationVersion));
        Assert.Equal([new NodeQueue("default", 20), new NodeQueue("mail", 5)], listed.Queues);
        Assert.Equal(["work", "mail"], listed.Kinds);
        Assert.Equal((1, 2), (listed.Claims, listed.Entries));
        Assert.InRange(listed.HeartbeatAge, TimeSpan.Zero, TimeSpan.FromMinutes(5));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"queues":3,"kinds":{},"heartbeat_ms":"x"}""")]
    public async Task A_node_with_a_broken_description_is_listed_without_it(string? info)
    {
        GivenNode(Identity("odd") with { Info = info });

        var listed = Assert.Single(await Monitor.ListNodesAsync(Cancellation));

        Assert.Equal("odd", listed.Name);
        Assert.Empty(listed.Queues);
    }

    [Fact]
    public async Task A_dead_node_shows_who_declared_it_dead_and_by_which_proof()
    {
        var node = GivenNode("victim");
        var peer = Watch(node)!.Value;
        WaitUntil(
            () => Judge.Session.MarkDead([peer with { Proof = DeathProof.LeaseExpired }], "judge").Count == 1, "the node is declared dead");

        var nodes = await Monitor.ListNodesAsync(Cancellation);

        Assert.Equal(["judge", "victim"], nodes.Select(listed => listed.Name));
        Assert.Equal((NodeState.Dead, DeathProof.LeaseExpired, "judge"), (nodes[1].State, nodes[1].Proof, nodes[1].DeclaredBy));
        Assert.NotNull(nodes[1].DeadAt);
    }

    [Fact]
    public async Task A_node_that_left_is_not_dead()
    {
        var node = GivenNode("leaver");
        node.Session.Leave(node.Id);

        var listed = Assert.Single(await Monitor.ListNodesAsync(Cancellation));

        Assert.Equal((NodeState.Left, DeathProof.Left, null), (listed.State, listed.Proof, listed.DeclaredBy));
    }
}
