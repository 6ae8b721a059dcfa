using System.Runtime.ExceptionServices;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Monitoring;

/// <summary>Continues the running bulk operations, whichever process started them, and resumes queues whose pause has ended.</summary>
internal sealed class OperationLoop(IOperationStore store, IClaimWaker waker, OperationSignal signal, StoreLoopServices services)
    : StoreLoop("The work on bulk operations", services)
{
    private int _rounds;

    /// <inheritdoc/>
    protected override TimeSpan Interval => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override Signal Wake => signal.Started;

    /// <summary>Does one step of each running operation. Tests call this; the timer is not part of the behavior.</summary>
    /// <returns>Whether there may be more to do now.</returns>
    internal async Task<bool> WorkOnceAsync(CancellationToken cancellationToken)
    {
        if (await store.ResumeDueAsync(cancellationToken).ConfigureAwait(false) > 0)
        {
            waker.WakeAll();
        }

        var worked = false;
        ExceptionDispatchInfo? failed = null;
        foreach (var operation in await store.ListRunningAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                worked |= (await store.StepAsync(operation, cancellationToken).ConfigureAwait(false)).Worked;
            }
            catch (Exception failure) when (failure is not (OperationCanceledException or StoreUnavailableException))
            {
                // The failure is reported, but it must not keep the operations after this one from continuing.
                failed ??= ExceptionDispatchInfo.Capture(failure);
            }
        }

        failed?.Throw();

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

    /// <inheritdoc/>
    protected override Task<bool> OnceAsync(CancellationToken cancellationToken) => WorkOnceAsync(cancellationToken);
}
