namespace TaskRecovery;

/// <summary>What happens to a due run while an earlier run of the same job is unfinished. A run in recovery, or waiting for its next
/// attempt, is unfinished.</summary>
public enum OverlapPolicy
{
    /// <summary>The run is skipped, and the next one is planned as usual.</summary>
    Skip = 0,

    /// <summary>The run starts and runs concurrently with the earlier one.</summary>
    Allow = 1,

    /// <summary>The run waits until the earlier one has ended. At most one run waits: the first one stays, and later ones are
    /// skipped.</summary>
    QueueOne = 2,

    /// <summary>Cancellation of the earlier run is requested, and the run waits until it has ended. If another run becomes due meanwhile,
    /// it takes the place of the waiting one.</summary>
    CancelPrevious = 3,
}
