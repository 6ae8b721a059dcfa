namespace TaskRecovery;

/// <summary>Selects events. An event must match every condition that is set.</summary>
public sealed record EventQuery
{
    /// <summary>The kinds of events; <see langword="null"/> or empty for all.</summary>
    public IReadOnlyCollection<QueueEventKind>? Kinds { get; init; }

    /// <summary>The entry; <see langword="null"/> for all.</summary>
    public long? EntryId { get; init; }

    /// <summary>The node as <see cref="QueueEvent.Node"/> names it: its name, or its id if it has none; <see langword="null"/> for all. The
    /// id of a node that has a name selects nothing.</summary>
    public string? Node { get; init; }

    /// <summary>Who did it; <see langword="null"/> for all.</summary>
    public string? Actor { get; init; }

    /// <summary>The bulk operation; <see langword="null"/> for all.</summary>
    public long? OperationId { get; init; }

    /// <summary>Only events with a smaller id. Pass <see cref="EventPage.NextBefore"/> to get the next page.</summary>
    public long? Before { get; init; }

    /// <summary>Only events with a greater id, to follow what happens.</summary>
    public long? After { get; init; }

    /// <summary>The maximum number of events in the page.</summary>
    /// <value>Default: 100. 1 to 1,000.</value>
    public int Limit { get; init; } = 100;

    /// <summary>The maximum number of events that are examined for the page.</summary>
    /// <value>Default: 100,000. 1 to 1,000,000.</value>
    public int MaxExamined { get; init; } = 100_000;
}
