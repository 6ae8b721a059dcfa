using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Receives the places that runs reach, and how they end. TaskRecovery.Testing implements it, to crash or cancel a run at a chosen
/// place; in production there is none.</summary>
internal interface IRunObserver
{
    /// <summary>Called when a run reaches a place. The run continues when the task completes. If it never completes, the run ends there, as
    /// in a killed process.</summary>
    /// <param name="run">The run.</param>
    /// <param name="place">The place.</param>
    /// <param name="step">The name of the step; <see langword="null"/> if the place belongs to none.</param>
    Task ReachAsync(WorkRun run, RunPlace place, string? step);

    /// <summary>Called when a run has ended, before its outcome is stored.</summary>
    /// <param name="run">The run.</param>
    /// <param name="kind">How it ended.</param>
    /// <param name="exception">The handler's exception; <see langword="null"/> if it returned.</param>
    void Ended(WorkRun run, OutcomeKind kind, Exception? exception);
}
