namespace TaskRecovery;

/// <summary>An entry in a list, without the application's data.</summary>
public sealed record EntrySummary
{
    /// <summary>The id of the entry.</summary>
    public required long Id { get; init; }

    /// <summary>The kind, which selects the worker.</summary>
    public required string Kind { get; init; }

    /// <summary>The queue.</summary>
    public required string Queue { get; init; }

    /// <summary>The state.</summary>
    public required EntryState State { get; init; }

    /// <summary>The priority, from 0 (most urgent) to 9 (least urgent).</summary>
    public int Priority { get; init; }

    /// <summary>The number of attempts made, including the running one.</summary>
    public int Attempt { get; init; }

    /// <summary>The maximum number of attempts.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>The number of node crashes while the entry was running, since it last made progress.</summary>
    public int Crashes { get; init; }

    /// <summary>The time at which the entry was stored.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The time from which the entry may run; <see langword="null"/> if it is running or has ended.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>The time of the last claim; <see langword="null"/> if the entry has never been claimed.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>The time at which the entry ended; <see langword="null"/> if it has not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The name or id of the node that runs the entry or last ran it; <see langword="null"/> if there is none.</summary>
    public string? Node { get; init; }

    /// <summary>Why the entry ended other than successfully (see <see cref="EndReasons"/>); otherwise <see langword="null"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether cancellation of the entry has been requested.</summary>
    public bool CancelRequested { get; init; }
}
