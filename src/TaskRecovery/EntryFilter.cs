namespace TaskRecovery;

/// <summary>A filter for <see cref="IJobQueue.ListAsync"/>. An entry must match every condition that is set.</summary>
public sealed record EntryFilter
{
    /// <summary>Lists only entries in this state; <see langword="null"/> for all states.</summary>
    public EntryState? State { get; init; }

    /// <summary>Lists only entries of this queue; <see langword="null"/> for all queues.</summary>
    public string? Queue { get; init; }

    /// <summary>Lists only entries of this kind; <see langword="null"/> for all kinds.</summary>
    public string? Kind { get; init; }

    /// <summary>Whether to read arguments and results too. The whole page is held in memory, so combine it with a small <see cref="Limit"/>
    /// if they are large.</summary>
    /// <value>Default: <see langword="false"/>: <see cref="QueueEntry.Args"/> is empty and <see cref="QueueEntry.Result"/> is
    /// <see langword="null"/>.</value>
    public bool WithPayloads { get; init; }

    /// <summary>Lists only entries with a smaller id. Pass <see cref="EntryPage.NextBefore"/> to get the next page; <see langword="null"/>
    /// starts with the newest entry.</summary>
    public long? Before { get; init; }

    /// <summary>The maximum number of entries in the page.</summary>
    /// <value>Default: 100. 1 to 1,000.</value>
    public int Limit { get; init; } = 100;
}

/// <summary>One page of entries.</summary>
/// <param name="Entries">The entries, newest first.</param>
/// <param name="NextBefore">The value to pass as <see cref="EntryFilter.Before"/> for the next page; <see langword="null"/> on the last
/// page.</param>
public sealed record EntryPage(IReadOnlyList<QueueEntry> Entries, long? NextBefore);

/// <summary>The number of entries in each state.</summary>
/// <param name="Waiting">Entries that are due and not yet claimed.</param>
/// <param name="Scheduled">Entries that wait for a future time.</param>
/// <param name="Running">Entries claimed by a node.</param>
/// <param name="Completed">Entries that completed and are not yet removed by retention.</param>
/// <param name="Failed">Entries that failed and are not yet removed by retention.</param>
/// <param name="Cancelled">Entries that were cancelled and are not yet removed by retention.</param>
public sealed record QueueCounts(long Waiting, long Scheduled, long Running, long Completed, long Failed, long Cancelled);
