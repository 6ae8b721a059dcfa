using Microsoft.Extensions.Options;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Recovery;

/// <summary>Returns the entries of dead nodes to the queue, as long as the process runs.</summary>
/// <remarks>Every node sweeps, and no leader is elected. The store changes only the claims of nodes that are dead at that moment, so two
/// concurrent sweeps have the effect of one.</remarks>
internal sealed class RecoverySweeper(
    TaskRecoverer recoverer, JobPlanner planner, IRecoveryStore store, ICurrentNode currentNode, NodeSignals signals,
    StoreLoopServices services, IOptions<TaskRecoveryOptions> options)
    : StoreLoop("The sweep for work of dead nodes", services)
{
    /// <summary>How many intervals pass between two full recoveries, which also check tasks and jobs, as at start-up.</summary>
    internal const int FullRecoveryEvery = 12;

    private readonly TimeProvider _time = services.Time;
    private long? _fullRecovery;

    /// <inheritdoc/>
    protected override TimeSpan Interval => options.Value.Recovery.SweepInterval;

    /// <inheritdoc/>
    /// <remarks>While the node has its lease, each heartbeat reports dead nodes that have claims, and wakes this loop.</remarks>
    protected override TimeSpan Rest
    {
        get
        {
            var idle = store.Traits.WhileIdle(Interval);
            return currentNode.Node?.Lease is null ? Interval : idle < FullRecoveryInterval ? idle : FullRecoveryInterval;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Every heartbeat of every node signals that a dead node has not been swept yet.</remarks>
    protected override bool ServesStore => true;

    /// <inheritdoc/>
    protected override Signal Wake => signals.SweepDue;

    /// <inheritdoc/>
    /// <remarks>The start-up hook has just swept.</remarks>
    protected override TimeSpan FirstRound => TimeSpan.FromSeconds(5);

    private TimeSpan FullRecoveryInterval => Interval * FullRecoveryEvery;

    /// <summary>Does one sweep, or a full recovery with tasks and jobs if that is due. Tests call this; the timer is not part of the
    /// behavior.</summary>
    /// <returns>Whether the sweep found something, so that there may be more.</returns>
    internal async Task<bool> SweepOnceAsync(CancellationToken cancellationToken)
    {
        // The start-up hook has just recovered tasks and jobs.
        _fullRecovery ??= _time.GetTimestamp();
        if (_time.GetElapsedTime(_fullRecovery.Value) < FullRecoveryInterval)
        {
            return (await recoverer.SweepOnceAsync(cancellationToken).ConfigureAwait(false)).Items.Count > 0;
        }

        await recoverer.RecoverOnceAsync(cancellationToken).ConfigureAwait(false);
        await planner.RecoverAsync(cancellationToken).ConfigureAwait(false);
        _fullRecovery = _time.GetTimestamp();
        return false;
    }

    /// <inheritdoc/>
    protected override Task<bool> OnceAsync(CancellationToken cancellationToken) => SweepOnceAsync(cancellationToken);
}
