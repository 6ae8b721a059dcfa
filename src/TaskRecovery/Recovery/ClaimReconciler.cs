using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Recovery;

/// <summary>Releases claims whose answers were lost: the store holds them for this node, but the node does not know of them. The opposite,
/// a claim that the node knows and the store does not hold, means that the database has lost commits.</summary>
internal sealed class ClaimReconciler(
    IRecoveryStore store, ICurrentNode currentNode, IClaimWaker waker, Metrics metrics, NodeSignals signals, StoreLoopServices services,
    IOptions<TaskRecoveryOptions> options, ILogger<ClaimReconciler> logger)
    : StoreLoop("The search for claims whose answers were lost", services)
{
    /// <summary>The interval while a claim call is still unanswered.</summary>
    private static readonly TimeSpan SoonAgain = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = logger.Guarded();
    private Node? _node;
    private long _lastCall;
    private IReadOnlyList<long> _suspects = [];
    private bool _foundNothing;

    /// <inheritdoc/>
    protected override TimeSpan Interval
    {
        get
        {
            var interval = options.Value.Recovery.SweepInterval;
            return _suspects.Count > 0 && SoonAgain < interval ? SoonAgain : interval;
        }
    }

    /// <inheritdoc/>
    /// <remarks>A call whose answer is lost wakes this loop. A node without claims has none that the database could have lost.</remarks>
    protected override TimeSpan Rest
        => _foundNothing && _suspects.Count == 0 && currentNode.Node?.Claims.Count == 0 ? store.Traits.WhileIdle(Interval) : Interval;

    /// <inheritdoc/>
    protected override Signal Wake => signals.ReconcileDue;

    /// <summary>Compares the node's claims with the store once. A listed claim that the node does not know is released only after every
    /// claim call begun before the list was read has been answered, because its answer may contain that claim.</summary>
    /// <returns>How many entries were released.</returns>
    internal async Task<int> ReconcileOnceAsync(CancellationToken cancellationToken)
    {
        if (currentNode.Node is not { } node || FaultPoints.LeavesOut(FaultPoints.LostAnswersRule))
        {
            _suspects = [];
            return 0;
        }

        if (_suspects.Count == 0 || _node != node)
        {
            // A call that begins after the list was read cannot be in it, so only the calls begun until then matter.
            var open = node.Claims.List();
            var listed = await store.ListClaimsAsync(node.Id, cancellationToken).ConfigureAwait(false);

            // While the lease is valid, no other node can have taken these claims, so the database has lost them. The numbers alone may not
            // show it: after a failover that lost little, new claims still get new numbers, because sequences are logged ahead.
            if (node.Lease is not null && node.Claims.FindMissing(open, listed) is { } missing)
            {
                currentNode.ReportLostCommits(node, missing);
                return 0;
            }

            (_node, _lastCall, _suspects) = (node, node.Claims.LastCall, listed);
        }

        if (_suspects.Count == 0 || node.Claims.Unknown(_suspects, _lastCall) is not { } unknown)
        {
            return 0;
        }

        _suspects = [];
        if (unknown.Count == 0)
        {
            return 0;
        }

        var entries = await store.ReleaseClaimsAsync(node.Id, unknown, cancellationToken).ConfigureAwait(false);
        if (entries > 0)
        {
            waker.WakeAll();
            Guard.Notify((metrics, entries), static call => call.metrics.Released(call.entries));
            _logger.ReleasedUnknownClaims(entries, unknown.Count);
        }

        return entries;
    }

    /// <inheritdoc/>
    protected override async Task<bool> OnceAsync(CancellationToken cancellationToken)
    {
        _foundNothing = await ReconcileOnceAsync(cancellationToken).ConfigureAwait(false) == 0;
        return false;
    }
}
