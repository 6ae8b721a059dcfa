namespace TaskRecovery;

/// <summary>What a bulk operation would change.</summary>
public sealed record OperationPreview
{
    /// <summary>The id to pass to <see cref="IQueueOperator.StartAsync"/>.</summary>
    public required long OperationId { get; init; }

    /// <summary>How many entries match now. Counting stops after 100,000 examined entries.</summary>
    public required Count Entries { get; init; }

    /// <summary>The newest of them, at most 10.</summary>
    public required IReadOnlyList<EntrySummary> Sample { get; init; }

    /// <summary>The highest entry id of this moment. Entries that are stored later are not changed.</summary>
    public required long UpToId { get; init; }

    /// <summary>When the preview expires.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}
