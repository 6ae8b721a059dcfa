using TaskRecovery.Claims;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>The loop that removes settled claims from the store.</summary>
public sealed class ClaimRemoverTests : IDisposable
{
    private readonly FakeQueueStore _store = new();
    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder<OutageReporter> _log = new();
    private readonly NodeUnderTest _node;
    private readonly ClaimRemover _remover;

    public ClaimRemoverTests()
    {
        _node = new NodeUnderTest(new FakeStore(), _time);
        _node.Beat();
        _remover = new ClaimRemover(
            _store, _node.Node, new StoreLoopServices(_node.Gate, new FakeRole(), new OutageReporter(_time, _log), _time));
    }

    public void Dispose()
    {
        _remover.Dispose();
        _node.Node.Dispose();
    }

    [Fact]
    public async Task Claims_are_removed_once_they_are_settled()
    {
        var claim = Accept();
        await _remover.TryOnceAsync(CancellationToken.None);
        Assert.Equal(0, _store.CallsOf("remove claims"));

        claim.Settle(1);
        await _remover.TryOnceAsync(CancellationToken.None);
        await _remover.TryOnceAsync(CancellationToken.None);

        Assert.Equal(1, _store.CallsOf("remove claims"));
    }

    [Fact]
    public async Task What_a_call_says_that_a_stop_has_given_up_is_no_outage()
    {
        _store.OnCall = _ => throw new StoreUnavailableException("cut off");
        Accept().Settle(1);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _remover.TryOnceAsync(new CancellationToken(canceled: true)));
        Assert.Empty(_log.Ids);
        await _remover.TryOnceAsync(CancellationToken.None);
        Assert.Single(_log.Ids);

        _store.OnCall = null;
        await _remover.TryOnceAsync(CancellationToken.None);
        Assert.Equal(1, _store.CallsOf("remove claims"));
    }

    [Fact]
    public async Task The_claims_of_a_node_that_was_declared_dead_are_left_to_the_sweep()
    {
        Accept().Settle(1);
        _node.Life.EndWith(NodeEnd.DeclaredDead);

        await _remover.TryOnceAsync(CancellationToken.None);

        Assert.Equal(0, _store.CallsOf("remove claims"));
    }

    private NodeClaim Accept() => _node.Lease.Accept(fence: 5);
}
