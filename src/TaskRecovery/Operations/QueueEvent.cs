namespace TaskRecovery;

/// <summary>Something that happened: to a node, in recovery, or by an operator.</summary>
public sealed record QueueEvent
{
    /// <summary>The id. It grows with time.</summary>
    public required long Id { get; init; }

    /// <summary>When it happened, by the database's clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What happened.</summary>
    public required QueueEventKind Kind { get; init; }

    /// <summary>The node that it is about, or the node that did it; <see langword="null"/> if there is none.</summary>
    public string? Node { get; init; }

    /// <summary>The entry; <see langword="null"/> if there is none.</summary>
    public long? EntryId { get; init; }

    /// <summary>The queue, kind or job that was paused or resumed, or the kind of the entry; <see langword="null"/> if there is
    /// none.</summary>
    public string? Subject { get; init; }

    /// <summary>The bulk operation; <see langword="null"/> if there is none.</summary>
    public long? OperationId { get; init; }

    /// <summary>How many entries are concerned; <see langword="null"/> if the event is not about a number.</summary>
    public long? Entries { get; init; }

    /// <summary>Further facts, such as the proof of a death; <see langword="null"/> if there are none.</summary>
    public string? Detail { get; init; }

    /// <summary>Who did it, as the caller says; <see langword="null"/> if no operator did.</summary>
    public string? Actor { get; init; }

    /// <summary>Why the operator did it; <see langword="null"/> if no reason was given.</summary>
    public string? Reason { get; init; }

    /// <summary>The tool that was used, such as <c>dashboard</c>; <see langword="null"/> if it is not known.</summary>
    public string? Tool { get; init; }

    /// <summary>The database user of the session that did it; <see langword="null"/> if no operator did, or the database has no
    /// users.</summary>
    public string? SessionUser { get; init; }
}
