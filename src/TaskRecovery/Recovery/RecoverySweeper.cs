using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Recovery;

/// <summary>Gives the entries of dead nodes back to the queue, for the whole life of the process.</summary>
/// <remarks>Every node sweeps and no leader is elected: the store changes only what is dead at that moment, so two sweeps at once do the work of one.</remarks>
internal sealed class RecoverySweeper(
    TaskRecoverer recoverer, IJobStore jobs, NodeSignals signals, StartupGate gate, INodeRole role, IOptions<TaskRecoveryOptions> options, TimeProvider time,
    ILogger<RecoverySweeper> logger)
    : StoreLoop("The sweep for work of dead nodes", gate, role, time, logger)
{
    /// <summary>Every so many intervals tasks and jobs are gone over as at start-up.</summary>
    internal const int MendEvery = 12;

    private readonly TimeProvider _time = time;
    private long? _mended;

    /// <inheritdoc/>
    protected override TimeSpan Interval => options.Value.Recovery.SweepInterval;

    /// <inheritdoc/>
    protected override Signal Wake => signals.SweepDue;

    /// <summary>One sweep; now and then tasks and jobs too. Tests call this; the timer is not part of the behaviour.</summary>
    /// <returns>Whether something was found, so that there may be more.</returns>
    internal async Task<bool> SweepOnceAsync(CancellationToken cancellationToken)
    {
        // The start-up hook has just been over tasks and jobs.
        _mended ??= _time.GetTimestamp();
        if (_time.GetElapsedTime(_mended.Value) < Interval * MendEvery)
        {
            return (await recoverer.SweepOnceAsync(cancellationToken).ConfigureAwait(false)).Items.Count > 0;
        }

        await recoverer.RecoverOnceAsync(cancellationToken).ConfigureAwait(false);
        await jobs.RecoverJobsAsync(cancellationToken).ConfigureAwait(false);
        _mended = _time.GetTimestamp();
        return false;
    }

    /// <inheritdoc/>
    protected override Task<bool> OnceAsync(CancellationToken cancellationToken) => SweepOnceAsync(cancellationToken);
}
