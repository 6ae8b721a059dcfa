namespace TaskRecovery;

/// <summary>A request to change many entries.</summary>
public sealed record BulkRequest
{
    /// <summary>What to do with each entry: <see cref="BulkAction.Retry"/> or <see cref="BulkAction.Cancel"/>.</summary>
    public required BulkAction Action { get; init; }

    /// <summary>Selects the entries; <see langword="null"/> if <see cref="EntryIds"/> does. <see cref="EntryQuery.Before"/>,
    /// <see cref="EntryQuery.Limit"/> and <see cref="EntryQuery.MaxExamined"/> are not used: the operation goes through all entries that
    /// exist when it is prepared.</summary>
    public EntryQuery? Query { get; init; }

    /// <summary>The ids of the entries, at most 10,000; <see langword="null"/> if <see cref="Query"/> selects them.</summary>
    public IReadOnlyCollection<long>? EntryIds { get; init; }

    /// <summary>The part of the system to which <see cref="EntryIds"/> are restricted: an id outside of it is refused as one that does not
    /// exist. <see langword="null"/> for no restriction. A query has a scope of its own.</summary>
    public EntryScope? Scope { get; init; }

    /// <summary>How entries are retried; <see langword="null"/> means now and after their last finished step.</summary>
    public RetryOptions? Retry { get; init; }
}
