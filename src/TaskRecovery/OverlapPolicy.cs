namespace TaskRecovery;

/// <summary>What happens to a due run while an earlier run of the same job is unfinished.</summary>
public enum OverlapPolicy
{
    /// <summary>The run is skipped, and the next one is planned as usual.</summary>
    Skip = 0,

    /// <summary>The run starts and runs concurrently with the earlier one.</summary>
    Allow = 1,
}
