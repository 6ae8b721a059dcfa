namespace TaskRecovery;

/// <summary>Which entries to list. Every condition that is set must hold.</summary>
public sealed record EntryFilter
{
    /// <summary>Only this state.</summary>
    public EntryState? State { get; init; }

    /// <summary>Only this queue.</summary>
    public string? Queue { get; init; }

    /// <summary>Only this kind.</summary>
    public string? Kind { get; init; }

    /// <summary>Whether arguments and results are read too. A page of large ones takes as much memory as they have together.</summary>
    /// <value>Default: <see langword="false"/>: <see cref="QueueEntry.Args"/> is empty and <see cref="QueueEntry.Result"/> is <see langword="null"/>.</value>
    public bool WithPayloads { get; init; }

    /// <summary>Only entries with an id below this one: pass <see cref="EntryPage.NextBefore"/> to get the next page.</summary>
    public long? Before { get; init; }

    /// <summary>How many at most, 1 to 1,000.</summary>
    /// <value>Default: 100.</value>
    public int Limit { get; init; } = 100;
}

/// <summary>One page of a list.</summary>
/// <param name="Entries">The entries, newest first.</param>
/// <param name="NextBefore">The value of <see cref="EntryFilter.Before"/> that gives the next page; <see langword="null"/> on the last one.</param>
public sealed record EntryPage(IReadOnlyList<QueueEntry> Entries, long? NextBefore);

/// <summary>How many entries are in each state.</summary>
/// <param name="Waiting">Due and not yet claimed.</param>
/// <param name="Scheduled">Waiting for a time that has not come.</param>
/// <param name="Running">Claimed by a node.</param>
/// <param name="Completed">Ended well, as far as retention has kept them.</param>
/// <param name="Failed">Ended without success, as far as retention has kept them.</param>
/// <param name="Cancelled">Ended by a cancel, as far as retention has kept them.</param>
public sealed record QueueCounts(long Waiting, long Scheduled, long Running, long Completed, long Failed, long Cancelled);
