namespace TaskRecovery;

/// <summary>How many entries and runs were counted in a period. Nodes add up their counts every 10 seconds, so the last seconds are
/// missing, and what a crashed process had not stored yet is lost.</summary>
public sealed record EntryTotals
{
    /// <summary>Entries stored through <see cref="IJobQueue"/>. The runs of jobs are not counted here, but by how they ended.</summary>
    public long Enqueued { get; init; }

    /// <summary>Entries that completed.</summary>
    public long Completed { get; init; }

    /// <summary>Entries that failed.</summary>
    public long Failed { get; init; }

    /// <summary>Entries that were cancelled while they ran, or superseded by a run. Those that were cancelled or expired while they waited
    /// are not counted.</summary>
    public long Cancelled { get; init; }

    /// <summary>Failed runs that are tried again.</summary>
    public long Retried { get; init; }

    /// <summary>Runs that asked to run later.</summary>
    public long Snoozed { get; init; }

    /// <summary>Runs that a node released.</summary>
    public long Released { get; init; }

    /// <summary>Runs whose node died.</summary>
    public long Lost { get; init; }

    /// <summary>The duration of all runs together.</summary>
    public TimeSpan RunTime { get; init; }

    /// <summary>How long all claimed entries together had been due when they were claimed.</summary>
    public TimeSpan WaitTime { get; init; }

    /// <summary>Entries that ended.</summary>
    public long Ended => Completed + Failed + Cancelled;

    /// <summary>Runs that ended.</summary>
    public long Runs => Completed + Failed + Cancelled + Retried + Snoozed + Released;

    /// <summary>Adds up two periods.</summary>
    public EntryTotals Add(EntryTotals other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new()
        {
            Enqueued = Enqueued + other.Enqueued,
            Completed = Completed + other.Completed,
            Failed = Failed + other.Failed,
            Cancelled = Cancelled + other.Cancelled,
            Retried = Retried + other.Retried,
            Snoozed = Snoozed + other.Snoozed,
            Released = Released + other.Released,
            Lost = Lost + other.Lost,
            RunTime = RunTime + other.RunTime,
            WaitTime = WaitTime + other.WaitTime,
        };
    }
}
