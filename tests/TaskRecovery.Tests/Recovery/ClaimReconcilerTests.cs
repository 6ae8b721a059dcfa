using TaskRecovery.Nodes;
using TaskRecovery.Recovery;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Recovery;

/// <summary>Answers get lost: what the store holds for this node and the node does not know goes back, but never what it may be about to
/// learn of.</summary>
public sealed class ClaimReconcilerTests : IDisposable
{
    private readonly RecoveryUnderTest _recovery = new();
    private readonly ClaimReconciler _reconciler;

    public ClaimReconcilerTests()
    {
        _recovery.Node.Beat();
        _reconciler = new ClaimReconciler(
            _recovery.Store, _recovery.Node.Node, _recovery.Waker, _recovery.Metrics, _recovery.Node.Signals, _recovery.Loops,
            _recovery.Node.Options, new LogRecorder<ClaimReconciler>());
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Node Life => _recovery.Node.Life;

    public void Dispose()
    {
        _reconciler.Dispose();
        _recovery.Dispose();
    }

    [Fact]
    public async Task A_claim_whose_answer_was_lost_is_released()
    {
        var ticket = Life.Claims.Begin(_recovery.Node.Lease);
        _recovery.Store.Claims[Life.Id] = [5];
        Life.Claims.Abandon(ticket);

        var entries = await _reconciler.ReconcileOnceAsync(Cancellation);

        Assert.Equal(1, entries);
        Assert.Equal([5L], _recovery.Store.GivenBack);
        Assert.Equal(1, _recovery.Waker.Wakes);
    }

    [Fact]
    public async Task A_claim_that_the_node_knows_is_kept()
    {
        Life.Claims.End(Life.Claims.Begin(_recovery.Node.Lease), fence: 5);
        _recovery.Store.Claims[Life.Id] = [5];

        await _reconciler.ReconcileOnceAsync(Cancellation);

        Assert.Empty(_recovery.Store.GivenBack);
    }

    [Fact]
    public async Task A_claim_that_the_store_has_lost_ends_the_nodes_life()
    {
        var life = Life;
        life.Claims.End(life.Claims.Begin(_recovery.Node.Lease), fence: 5);

        await _reconciler.ReconcileOnceAsync(Cancellation);

        Assert.Equal(NodeEnd.LostCommits, life.End);
        Assert.Empty(_recovery.Store.GivenBack);
    }

    [Fact]
    public async Task A_claim_that_is_settled_may_be_gone()
    {
        var life = Life;
        _recovery.Node.Lease.Accept(fence: 5).Settle(1);

        await _reconciler.ReconcileOnceAsync(Cancellation);

        Assert.Null(life.End);
    }

    [Fact]
    public void A_claim_that_was_settled_while_the_store_was_asked_is_not_missing()
    {
        var claim = _recovery.Node.Lease.Accept(fence: 5);
        var known = Life.Claims.List();
        claim.Settle(1);

        Assert.Null(Life.Claims.FindMissing(known, []));
        Assert.Null(Life.Claims.FindMissing(known, [5]));
    }

    [Fact]
    public async Task Without_a_lease_a_missing_claim_may_be_anothers_and_proves_nothing()
    {
        var life = Life;
        life.Claims.End(life.Claims.Begin(_recovery.Node.Lease), fence: 5);
        _recovery.Time.Advance(TimeSpan.FromSeconds(60));

        await _reconciler.ReconcileOnceAsync(Cancellation);

        Assert.Null(life.End);
    }

    [Fact]
    public async Task A_claim_whose_answer_is_still_to_come_is_kept()
    {
        var ticket = Life.Claims.Begin(_recovery.Node.Lease);
        _recovery.Store.Claims[Life.Id] = [5];

        await _reconciler.ReconcileOnceAsync(Cancellation);
        Assert.Equal(ClaimAnswer.Accepted, Life.Claims.End(ticket, fence: 5));
        await _reconciler.ReconcileOnceAsync(Cancellation);

        Assert.Empty(_recovery.Store.GivenBack);
    }

    [Fact]
    public async Task A_claim_that_waited_for_a_call_under_way_is_released_when_that_brought_another()
    {
        var ticket = Life.Claims.Begin(_recovery.Node.Lease);
        _recovery.Store.Claims[Life.Id] = [5];
        await _reconciler.ReconcileOnceAsync(Cancellation);
        Life.Claims.End(ticket, fence: 6);
        Life.Claims.Begin(_recovery.Node.Lease);

        await _reconciler.ReconcileOnceAsync(Cancellation);

        Assert.Equal([5L], _recovery.Store.GivenBack);
    }

    [Fact]
    public async Task What_an_earlier_life_left_is_not_compared_with_the_next_ones()
    {
        Life.Claims.Begin(_recovery.Node.Lease);
        _recovery.Store.Claims[Life.Id] = [5];
        await _reconciler.ReconcileOnceAsync(Cancellation);
        _recovery.Node.Row.IsDead = true;
        _recovery.Node.Beat();
        _recovery.Node.Beat();

        await _reconciler.ReconcileOnceAsync(Cancellation);

        Assert.Empty(_recovery.Store.GivenBack);
    }

    [Fact]
    public async Task Without_claims_a_round_rests_as_long_as_an_idle_poll()
    {
        _recovery.Store.Traits = _recovery.Store.Traits with { IdlePollInterval = TimeSpan.FromSeconds(10) };
        var idle = await _reconciler.TryOnceAsync(Cancellation);
        _recovery.Node.Lease.Accept(fence: 5);
        _recovery.Store.Claims[Life.Id] = [5];
        var busy = await _reconciler.TryOnceAsync(Cancellation);

        Assert.Equal((10, 5), (idle.TotalSeconds, busy.TotalSeconds));
    }

    [Fact]
    public async Task Between_two_lives_there_is_nothing_to_compare()
    {
        _recovery.Node.Row.IsDead = true;
        _recovery.Node.Beat();

        await _reconciler.ReconcileOnceAsync(Cancellation);

        Assert.DoesNotContain("list claims", _recovery.Store.Calls);
    }
}
