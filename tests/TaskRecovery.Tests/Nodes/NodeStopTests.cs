using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Nodes;

/// <summary>Whether a node whose host stops leaves, so that other nodes start its entries at once.</summary>
public sealed class NodeStopTests
{
    private readonly FakeStore _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_leaves_only_if_its_drain_has_succeeded(bool isDrained)
    {
        var node = new NodeUnderTest(_store, new ManualTimeProvider());
        node.Gate.Open();
        node.Node.Begin();
        var lease = await node.Node.WaitForLeaseAsync(Cancellation);
        node.Node.ReportDraining(
            isDrained ? Task.CompletedTask : Task.FromException(new InvalidOperationException("A queue could not be stopped.")));

        await node.Node.StopAsync(Cancellation);

        Assert.Equal(isDrained, _store.Nodes.Rows[lease.NodeId].HasLeft);
    }
}
