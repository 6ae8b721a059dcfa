namespace TaskRecovery;

/// <summary>One run of an entry that has ended.</summary>
public sealed record EntryRun
{
    /// <summary>The fence (claim id) of the run.</summary>
    public required long Fence { get; init; }

    /// <summary>How the run ended.</summary>
    public required EntryRunEnd End { get; init; }

    /// <summary>The time at which the entry was claimed; <see langword="null"/> if it was cancelled while it waited.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>The time at which the run ended.</summary>
    public required DateTimeOffset EndedAt { get; init; }

    /// <summary>The name or id of the node; <see langword="null"/> if the entry was cancelled while it waited.</summary>
    public string? Node { get; init; }

    /// <summary>The number of attempts spent, this run included.</summary>
    public int Attempt { get; init; }

    /// <summary>The number of node crashes counted after the run.</summary>
    public int Crashes { get; init; }

    /// <summary>Whether the entry ended with this run. A later retry by an operator clears it.</summary>
    public bool IsFinal { get; init; }

    /// <summary>A stable code for why the run ended so (see <see cref="EndReasons"/>); otherwise <see langword="null"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>The error; <see langword="null"/> if there is none.</summary>
    public string? Error { get; init; }

    /// <summary>What was known of the node when it died; <see langword="null"/> if the run was not lost.</summary>
    public BlackBox? BlackBox { get; init; }
}
