namespace TaskRecovery;

/// <summary>The state of all queues at one moment.</summary>
public sealed record QueueSnapshot
{
    /// <summary>The time of the snapshot, by the database's clock.</summary>
    public required DateTimeOffset TakenAt { get; init; }

    /// <summary>The queues, ordered by name.</summary>
    public required IReadOnlyList<QueueSummary> Queues { get; init; }

    /// <summary>The failed entries that retention has not removed yet. Counting failed and cancelled entries together stops at
    /// 10,000.</summary>
    public required Count Failed { get; init; }

    /// <summary>The cancelled entries that retention has not removed yet (see <see cref="Failed"/>).</summary>
    public required Count Cancelled { get; init; }

    /// <summary>About how many entries are stored, in any state.</summary>
    public required Count Stored { get; init; }

    /// <summary>What happened in the last hour.</summary>
    public required EntryTotals LastHour { get; init; }

    /// <summary>What happened in the last 24 hours.</summary>
    public required EntryTotals LastDay { get; init; }
}
