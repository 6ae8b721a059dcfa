namespace TaskRecovery;

/// <summary>What a bulk operation did to an entry.</summary>
public sealed record EntryOperation
{
    /// <summary>The id of the operation (see <see cref="IQueueOperator.FindOperationAsync"/>).</summary>
    public required long OperationId { get; init; }

    /// <summary>What the operation does with each entry.</summary>
    public required BulkAction Action { get; init; }

    /// <summary>Whether it changed the entry, or why not.</summary>
    public required OperatorResult Result { get; init; }

    /// <summary>Who prepared the operation, and why.</summary>
    public required AuditInfo Audit { get; init; }

    /// <summary>When the operation was started. It gets to its entries afterwards.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The operation that it reverses; <see langword="null"/> if it reverses none.</summary>
    public long? Undoes { get; init; }

    /// <summary>How it retries entries; <see langword="null"/> if it retries none.</summary>
    public RetryOptions? Retry { get; init; }
}
