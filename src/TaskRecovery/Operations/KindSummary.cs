namespace TaskRecovery;

/// <summary>The state of one kind.</summary>
public sealed record KindSummary
{
    /// <summary>The name of the kind.</summary>
    public required string Name { get; init; }

    /// <summary>Who paused the kind, when and why; <see langword="null"/> if it is not paused.</summary>
    public PauseInfo? Pause { get; init; }

    /// <summary>The entries that wait, due or not. Counting all kinds together stops at 100,000 entries.</summary>
    public required Count Waiting { get; init; }

    /// <summary>How long the oldest due entry has been due, by the database's clock; <see langword="null"/> if none is due.</summary>
    public TimeSpan? OldestDue { get; init; }

    /// <summary>The nodes that have a worker for the kind and are <see cref="NodeState.Alive"/>. If there is none, its entries
    /// wait.</summary>
    public int Nodes { get; init; }
}
