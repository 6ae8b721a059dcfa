namespace TaskRecovery;

/// <summary>A bulk operation.</summary>
public sealed record BulkOperation
{
    /// <summary>The id.</summary>
    public required long Id { get; init; }

    /// <summary>What it does with each entry.</summary>
    public required BulkAction Action { get; init; }

    /// <summary>The state.</summary>
    public required OperationState State { get; init; }

    /// <summary>What selects its entries. If it was given ids, it is the scope to which they are restricted; <see langword="null"/> if they
    /// are not. If it reverses another operation, it is what selects that one's entries.</summary>
    public EntryQuery? Query { get; init; }

    /// <summary>The greatest ids that it was given, at most 10, greatest first: a sample for its preview. An id may be outside of the
    /// scope; <see langword="null"/> if it was given none.</summary>
    public IReadOnlyList<long>? SampleIds { get; init; }

    /// <summary>How entries are retried; <see langword="null"/> if it retries none.</summary>
    public RetryOptions? Retry { get; init; }

    /// <summary>Who prepared it, and why.</summary>
    public required AuditInfo Audit { get; init; }

    /// <summary>When it was prepared.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was started; <see langword="null"/> if it was not.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended or was stopped; <see langword="null"/> if it was not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The highest id of an entry that it may change.</summary>
    public required long UpToId { get; init; }

    /// <summary>How many entries matched when it was prepared.</summary>
    public required Count Expected { get; init; }

    /// <summary>How many entries it has changed.</summary>
    public required long Done { get; init; }

    /// <summary>How many entries it could not change (see <see cref="IQueueOperator.ListOperationEntriesAsync"/>).</summary>
    public required long Refused { get; init; }

    /// <summary>The operation that it reverses; <see langword="null"/> if it reverses none.</summary>
    public long? Undoes { get; init; }

    /// <summary>The operation that reverses it, the newest one if an undo was stopped; <see langword="null"/> if none does.</summary>
    public long? UndoneBy { get; init; }
}
