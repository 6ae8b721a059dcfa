namespace TaskRecovery;

/// <summary>Selects entries that a bulk operation has processed.</summary>
public sealed record OperationEntryQuery
{
    /// <summary>The operation.</summary>
    public required long OperationId { get; init; }

    /// <summary>Whether to list only entries that it could not change.</summary>
    public bool OnlyRefused { get; init; }

    /// <summary>Only entries with a greater id. Pass <see cref="OperationEntryPage.NextAfter"/> to get the next page.</summary>
    public long? After { get; init; }

    /// <summary>The maximum number of entries in the page.</summary>
    /// <value>Default: 100. 1 to 1,000.</value>
    public int Limit { get; init; } = 100;
}
