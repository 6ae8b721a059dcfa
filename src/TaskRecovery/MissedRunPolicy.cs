namespace TaskRecovery;

/// <summary>What happens to runs that were missed, for example while no node was running.</summary>
public enum MissedRunPolicy
{
    /// <summary>The job runs once for all missed runs, and then continues on its schedule.</summary>
    RunOnce = 0,

    /// <summary>Missed runs are skipped, and the job runs at its next due time. A run counts as missed if the next due time has passed
    /// too.</summary>
    Skip = 1,

    /// <summary>Every missed run is made up for, one after the other, or at the same time with <see cref="OverlapPolicy.Allow"/>: the
    /// latest ones, up to <see cref="JobDefinition.CatchUpLimit"/>, and none from before the definition was changed.</summary>
    RunAll = 2,
}
