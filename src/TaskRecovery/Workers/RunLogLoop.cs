using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Stores the log lines of runs: those of ended runs soon, those of current runs every few seconds, all in one write.</summary>
internal sealed class RunLogLoop(RunLogs logs, StoreLoopServices services, IRunInfoStore? store = null)
    : StoreLoop("The storing of the logs of runs", services), ILastRound
{
    private const int MaxParts = 500;

    // New lines set the signal.
    private static readonly TimeSpan WithoutRuns = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    protected override TimeSpan Interval => logs.MayHaveLines ? TimeSpan.FromSeconds(5) : WithoutRuns;

    /// <inheritdoc/>
    protected override Signal Wake => logs.Due;

    /// <summary>Stores the lines that are not stored yet. Tests call this; the timer is not part of the behavior.</summary>
    internal Task StoreOnceAsync(CancellationToken cancellationToken) => InTurnAsync(StoreAsync, cancellationToken);

    /// <inheritdoc/>
    protected override Task StopOnceAsync(CancellationToken cancellationToken)
        => StoreOnceAsync(cancellationToken);

    /// <inheritdoc/>
    protected override async Task<bool> OnceAsync(CancellationToken cancellationToken)
    {
        await StoreOnceAsync(cancellationToken).ConfigureAwait(false);
        return false;
    }

    private async Task StoreAsync(CancellationToken cancellationToken)
    {
        var parts = logs.Take();
        if (store is null)
        {
            return;
        }

        for (var done = 0; done < parts.Count; done += MaxParts)
        {
            try
            {
                await store.AppendLogAsync([.. parts.Skip(done).Take(MaxParts)], cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                logs.PutBack([.. parts.Skip(done)]);
                throw;
            }
        }
    }
}
