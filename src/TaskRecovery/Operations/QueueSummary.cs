namespace TaskRecovery;

/// <summary>The state of one queue.</summary>
public sealed record QueueSummary
{
    /// <summary>The name of the queue.</summary>
    public required string Name { get; init; }

    /// <summary>Who paused the queue, when and why; <see langword="null"/> if it is not paused.</summary>
    public PauseInfo? Pause { get; init; }

    /// <summary>The entries that are due and not yet claimed. Counting stops at 100,000.</summary>
    public required Count Due { get; init; }

    /// <summary>The entries that wait for a future time. Counting stops at 100,000.</summary>
    public required Count Later { get; init; }

    /// <summary>How long the oldest due entry has been due, by the database's clock; <see langword="null"/> if none is due.</summary>
    public TimeSpan? OldestDue { get; init; }

    /// <summary>The entries that nodes have claimed. Counting all queues together stops at 10,000.</summary>
    public required Count Running { get; init; }

    /// <summary>The nodes that serve the queue and are <see cref="NodeState.Alive"/>. Silent ones claim nothing.</summary>
    public int Nodes { get; init; }

    /// <summary>The entries that these nodes can run concurrently.</summary>
    public int Concurrency { get; init; }
}
