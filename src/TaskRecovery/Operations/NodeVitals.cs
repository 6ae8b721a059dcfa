namespace TaskRecovery;

/// <summary>The state of a node's process at its last heartbeat.</summary>
public sealed record NodeVitals
{
    /// <summary>The memory that the process used, in bytes.</summary>
    public long WorkingSetBytes { get; init; }

    /// <summary>The memory that the process may use, in bytes: the limit of its container, or the memory of the machine.</summary>
    public long MemoryLimitBytes { get; init; }

    /// <summary>The share of the process's life that was spent in pauses of the garbage collector, in per cent.</summary>
    public double GcPausePercent { get; init; }

    /// <summary>The work items that waited for a thread of the thread pool.</summary>
    public long ThreadPoolQueue { get; init; }

    /// <summary>The share of the machine's processors that the process used since the heartbeat before, in per cent.</summary>
    public double CpuPercent { get; init; }

    /// <summary>The handlers that were running.</summary>
    public int Running { get; init; }
}
