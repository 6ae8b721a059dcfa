namespace TaskRecovery;

/// <summary>Selects bulk operations.</summary>
public sealed record OperationQuery
{
    /// <summary>Only operations with a smaller id. Pass <see cref="OperationPage.NextBefore"/> to get the next page.</summary>
    public long? Before { get; init; }

    /// <summary>The maximum number of operations in the page.</summary>
    /// <value>Default: 100. 1 to 1,000.</value>
    public int Limit { get; init; } = 100;
}
