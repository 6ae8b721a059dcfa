namespace TaskRecovery;

/// <summary>What happens to runs that were missed, for example while no node was running.</summary>
public enum MissedRunPolicy
{
    /// <summary>The job runs once for all missed runs, and then continues on its schedule.</summary>
    RunOnce = 0,

    /// <summary>Missed runs are skipped, and the job runs at its next due time. A run counts as missed if it is late by more than one
    /// interval.</summary>
    Skip = 1,

    /// <summary>Every missed run is made up for, one after the other.</summary>
    RunAll = 2,
}
