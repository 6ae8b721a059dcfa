using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Recovery;

/// <summary>Gives back claims whose answers were lost: the store holds them for a living node that does not know of them. A claim that the node knows
/// and the store does not hold means that the database went back in time.</summary>
internal sealed class ClaimReconciler(
    IQueueStore store, ICurrentNode lives, IClaimWaker waker, Metrics metrics, NodeSignals signals, StartupGate gate, INodeRole role,
    IOptions<TaskRecoveryOptions> options, TimeProvider time, ILogger<ClaimReconciler> logger)
    : StoreLoop("The search for claims whose answers were lost", gate, role, time, logger)
{
    /// <summary>How soon to look again when a claim call is still under way.</summary>
    private static readonly TimeSpan SoonAgain = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = logger;
    private Node? _life;
    private long _lastCall;
    private IReadOnlyList<long> _suspects = [];

    /// <inheritdoc/>
    protected override TimeSpan Interval => _suspects.Count > 0 && SoonAgain < options.Value.Recovery.SweepInterval ? SoonAgain : options.Value.Recovery.SweepInterval;

    /// <inheritdoc/>
    protected override Signal Wake => signals.ReconcileDue;

    /// <summary>One comparison. What was listed and is unknown is released when every claim call that was under way at that time has been answered: until then its answer may be the one.</summary>
    /// <returns>How many entries wait again.</returns>
    internal async Task<int> ReconcileOnceAsync(CancellationToken cancellationToken)
    {
        if (lives.Node is not { } life || FaultPoints.LeavesOut(FaultPoints.LostAnswersRule))
        {
            _suspects = [];
            return 0;
        }

        if (_suspects.Count == 0 || _life != life)
        {
            // A call that begins after the list was read cannot be in it: what matters are the calls begun until then.
            var known = life.Claims.ListKnown();
            var listed = await store.ListClaimsAsync(life.Id, cancellationToken).ConfigureAwait(false);

            // With a valid lease no other node has taken these claims. The database lost them: a failover that lost little gives new numbers
            // to new claims, as sequences are logged ahead, so that the numbers alone do not show it.
            if (life.Lease is not null && life.Claims.FindMissing(known, listed) is { } missing)
            {
                lives.ReportWentBackInTime(life, missing);
                return 0;
            }

            (_life, _lastCall, _suspects) = (life, life.Claims.LastCall, listed);
        }

        if (_suspects.Count == 0 || life.Claims.Unknown(_suspects, _lastCall) is not { } unknown)
        {
            return 0;
        }

        _suspects = [];
        if (unknown.Count == 0)
        {
            return 0;
        }

        var entries = await store.ReleaseClaimsAsync(life.Id, unknown, options.Value.Recovery.MaxCrashes, cancellationToken).ConfigureAwait(false);
        if (entries > 0)
        {
            waker.WakeAll();
            metrics.Released(entries);
            _logger.GaveBack(entries, unknown.Count);
        }

        return entries;
    }

    /// <inheritdoc/>
    protected override async Task<bool> OnceAsync(CancellationToken cancellationToken)
    {
        await ReconcileOnceAsync(cancellationToken).ConfigureAwait(false);
        return false;
    }
}
