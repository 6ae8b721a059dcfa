using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Options;
using TaskRecovery.Hosting;

namespace TaskRecovery.Recovery;

/// <summary>Recovers tasks and jobs as at start-up, as long as the process runs, and completes what a step of the start-up could
/// not do.</summary>
/// <remarks>A loop of its own: planning locks the rows of jobs, which an operator's open transaction may keep locked for as long as it
/// lasts. The sweep for dead nodes must not wait for that, and must not count its failures as its own.</remarks>
internal sealed class FullRecoveryLoop(
    TaskRecoverer recoverer, JobPlanner planner, IEnumerable<IStartupStep> steps, StoreLoopServices services,
    IOptions<TaskRecoveryOptions> options)
    : StoreLoop("The recovery of tasks and jobs", services)
{
    /// <summary>How many sweeps of a node there are for each full recovery.</summary>
    private const int SweepsPerRound = 12;

    /// <inheritdoc/>
    protected override TimeSpan Interval => options.Value.Recovery.SweepInterval * SweepsPerRound;

    /// <inheritdoc/>
    protected override bool ServesStore => true;

    /// <inheritdoc/>
    /// <remarks>The start-up hook has just recovered tasks and jobs.</remarks>
    protected override TimeSpan FirstRound => Interval;

    /// <inheritdoc/>
    protected override async Task<bool> OnceAsync(CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? failure = null;
        try
        {
            (await recoverer.RecoverOnceAsync(cancellationToken).ConfigureAwait(false)).ThrowIfIncomplete();
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A row that keeps work from being recovered does not keep jobs from being planned.
            failure = ExceptionDispatchInfo.Capture(exception);
        }

        await planner.RecoverAsync(cancellationToken).ConfigureAwait(false);
        foreach (var step in steps.Where(static step => step.IsIncomplete))
        {
            await step.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }

        failure?.Throw();
        return false;
    }
}
