namespace TaskRecovery;

/// <summary>How an entry is retried.</summary>
public sealed record RetryOptions
{
    /// <summary>Whether the entry resumes after its last finished step or starts from the beginning.</summary>
    /// <value>Default: <see cref="RetryFrom.LastStep"/>.</value>
    public RetryFrom From { get; init; } = RetryFrom.LastStep;

    /// <summary>The earliest time at which the entry runs.</summary>
    /// <value>Default: <see langword="null"/>: now. Before the year 9000.</value>
    public DateTimeOffset? RunAt { get; init; }
}
