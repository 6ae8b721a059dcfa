namespace TaskRecovery;

/// <summary>A node. A restarted process is another node, also if it has the same name.</summary>
public sealed record NodeSummary
{
    /// <summary>The id of the node, random and never used again.</summary>
    public required Guid Id { get; init; }

    /// <summary>The name of the node, or its id if another living node had the name when it joined.</summary>
    public required string Name { get; init; }

    /// <summary>The state, by the database's clock.</summary>
    public required NodeState State { get; init; }

    /// <summary>The machine.</summary>
    public required string Machine { get; init; }

    /// <summary>The process id.</summary>
    public required int ProcessId { get; init; }

    /// <summary>The version of this library; <see langword="null"/> if the node did not store it.</summary>
    public string? LibraryVersion { get; init; }

    /// <summary>The version of the application; <see langword="null"/> if the node did not store it.</summary>
    public string? ApplicationVersion { get; init; }

    /// <summary>The time at which the node joined: it registered.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The age of the last heartbeat, by the database's clock.</summary>
    public required TimeSpan HeartbeatAge { get; init; }

    /// <summary>Whether the node held its lock at its last heartbeat.</summary>
    public bool HoldsLock { get; init; }

    /// <summary>When the node left or was declared dead; <see langword="null"/> if it lives.</summary>
    public DateTimeOffset? DeadAt { get; init; }

    /// <summary>How its death was established; <see langword="null"/> if it lives.</summary>
    public DeathProof? Proof { get; init; }

    /// <summary>The node that declared it dead; <see langword="null"/> if it lives, left, or this is not known.</summary>
    public string? DeclaredBy { get; init; }

    /// <summary>The queues that it serves.</summary>
    public IReadOnlyList<NodeQueue> Queues { get; init; } = [];

    /// <summary>The kinds that it can run.</summary>
    public IReadOnlyList<string> Kinds { get; init; } = [];

    /// <summary>The claims that it holds.</summary>
    public int Claims { get; init; }

    /// <summary>The entries that it holds: they run, or are claimed in advance.</summary>
    public int Entries { get; init; }

    /// <summary>The state of its process at the last heartbeat; <see langword="null"/> if it is not known.</summary>
    public NodeVitals? Vitals { get; init; }
}
