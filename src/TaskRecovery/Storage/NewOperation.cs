using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>A bulk operation to prepare.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record NewOperation
{
    /// <summary>What to do with each entry.</summary>
    public required BulkAction Action { get; init; }

    /// <summary>Selects the entries; <see langword="null"/> if <see cref="EntryIds"/> does.</summary>
    public EntryQuery? Query { get; init; }

    /// <summary>The ids of the entries; <see langword="null"/> if <see cref="Query"/> selects them.</summary>
    public IReadOnlyCollection<long>? EntryIds { get; init; }

    /// <summary>How entries are retried; <see langword="null"/> if none is.</summary>
    public RetryOptions? Retry { get; init; }

    /// <summary>The highest id of an entry that it may change; <see langword="null"/> for the highest one of this moment.</summary>
    public long? UpToId { get; init; }

    /// <summary>How many entries match now.</summary>
    public required Count Expected { get; init; }
}
