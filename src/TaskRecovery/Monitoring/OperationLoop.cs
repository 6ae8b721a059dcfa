using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Monitoring;

/// <summary>Continues the running bulk operations, whichever process started them, and resumes queues whose pause has ended.</summary>
internal sealed class OperationLoop(
    IOperationStore store, IClaimWaker waker, OperationSignal signal, StoreLoopServices services, ILogger<OperationLoop> logger)
    : StoreLoop("The work on bulk operations", services)
{
    private readonly HashSet<long> _failing = [];
    private readonly HashSet<long> _waiting = [];
    private readonly ILogger _logger = logger.Guarded();
    private int _rounds;

    /// <inheritdoc/>
    protected override TimeSpan Interval => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override bool ServesStore => true;

    /// <inheritdoc/>
    protected override Signal Wake => signal.Started;

    /// <inheritdoc/>
    protected override TimeSpan FirstRound => TimeSpan.FromSeconds(5);

    /// <summary>Does one step of each running operation. Tests call this; the timer is not part of the behavior.</summary>
    /// <returns>Whether there may be more to do now.</returns>
    internal async Task<bool> WorkOnceAsync(CancellationToken cancellationToken)
    {
        if (await store.ResumeDueAsync(cancellationToken).ConfigureAwait(false) > 0)
        {
            waker.WakeAll();
        }

        var worked = false;
        var failed = new List<(long Operation, Exception Exception)>();
        foreach (var operation in await store.ListRunningAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                var step = await store.StepAsync(operation, cancellationToken).ConfigureAwait(false);
                worked |= step.Worked;
                _failing.Remove(operation);
                ReportWait(operation, step);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                // The others continue: a step may fail because of what is stored in one operation.
                failed.Add((operation, exception));
            }
        }

        Report(failed, worked);
        if (worked)
        {
            waker.WakeAll();
        }
        else if (_rounds++ % 100 == 0)
        {
            await store.PurgeAsync(cancellationToken).ConfigureAwait(false);
        }

        return worked;
    }

    // A transaction may keep a lock for hours, and the operation makes no progress meanwhile.
    private void ReportWait(long operation, OperationStep step)
    {
        if (step.Worked)
        {
            _waiting.Remove(operation);
        }
        else if (step.WaitsForLock && _waiting.Add(operation))
        {
            _logger.OperationWaits(operation);
        }
    }

    // If the store is not available, the loop reports that. If another operation made progress, it is not the store.
    private void Report(List<(long Operation, Exception Exception)> failed, bool worked)
    {
        foreach (var (operation, exception) in failed)
        {
            if (exception is StoreUnavailableException && !worked)
            {
                ExceptionDispatchInfo.Throw(exception);
            }

            if (_failing.Add(operation))
            {
                _logger.OperationFailed(operation, exception);
            }
        }
    }

    /// <inheritdoc/>
    protected override Task<bool> OnceAsync(CancellationToken cancellationToken) => WorkOnceAsync(cancellationToken);
}
