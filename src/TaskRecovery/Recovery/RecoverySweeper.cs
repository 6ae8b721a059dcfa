using Microsoft.Extensions.Options;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Recovery;

/// <summary>Returns the entries of dead nodes to the queue, as long as the process runs.</summary>
/// <remarks>Every node sweeps, and no leader is elected. The store changes only the claims of nodes that are dead at that moment, so two
/// concurrent sweeps have the effect of one.</remarks>
internal sealed class RecoverySweeper(
    TaskRecoverer recoverer, IRecoveryStore store, ICurrentNode currentNode, NodeSignals signals, StoreLoopServices services,
    IOptions<TaskRecoveryOptions> options)
    : StoreLoop("The sweep for work of dead nodes", services)
{
    // How often a node is swept whose sweep fails or is in vain, although an interval may be an hour: heartbeats report dead nodes.
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(5);

    // Rounds in vain before that is logged.
    private const int ManyInVain = 3;

    private bool _hasFailedInPart;
    private int _inVain;

    /// <inheritdoc/>
    protected override TimeSpan Interval => options.Value.Recovery.SweepInterval;

    /// <inheritdoc/>
    /// <remarks>While the node has its lease, each heartbeat reports dead nodes that have claims, and wakes this loop.</remarks>
    protected override TimeSpan Rest
        => signals.IgnoresReports ? Soon : currentNode.Node?.Lease is null ? Interval : store.Traits.WhileIdle(Interval);

    /// <inheritdoc/>
    protected override TimeSpan LongestBackoff => _hasFailedInPart ? Soon : Interval;

    /// <inheritdoc/>
    /// <remarks>If only some nodes can't be swept, the store is there, and the next death must not wait.</remarks>
    protected override bool HearsSignalsAfterFailure => _hasFailedInPart;

    private TimeSpan Soon => Interval < LongestRest ? Interval : LongestRest;

    /// <inheritdoc/>
    /// <remarks>Every heartbeat of every node signals that a dead node has not been swept yet.</remarks>
    protected override bool ServesStore => true;

    /// <inheritdoc/>
    protected override Signal Wake => signals.SweepDue;

    /// <inheritdoc/>
    /// <remarks>The start-up hook has just swept.</remarks>
    protected override TimeSpan FirstRound => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    /// <returns>Whether the sweep found something, so that there may be more.</returns>
    protected override async Task<bool> OnceAsync(CancellationToken cancellationToken)
    {
        _hasFailedInPart = false;
        var wasReported = signals.TakeReport();
        var report = await recoverer.SweepOnceAsync(cancellationToken).ConfigureAwait(false);
        _hasFailedInPart = report.Failure is not null;
        signals.IgnoresReports = wasReported && (_hasFailedInPart || report.Items.Count == 0);
        _inVain = signals.IgnoresReports && !_hasFailedInPart ? _inVain + 1 : 0;
        if (_inVain == ManyInVain)
        {
            recoverer.LogHeldBack();
        }

        report.ThrowIfIncomplete();
        return report.Items.Count > 0;
    }
}
