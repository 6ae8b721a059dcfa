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
