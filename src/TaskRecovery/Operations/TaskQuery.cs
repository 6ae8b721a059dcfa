namespace TaskRecovery;

/// <summary>Selects tasks. A task must match every condition that is set.</summary>
public sealed record TaskQuery
{
    /// <summary>The job; <see langword="null"/> for all jobs.</summary>
    public Guid? JobId { get; init; }

    /// <summary>The state; <see langword="null"/> for all states.</summary>
    public TaskState? State { get; init; }

    /// <summary>Only tasks with a smaller id. Pass <see cref="TaskPage.NextBefore"/> to get the next page.</summary>
    public Guid? Before { get; init; }

    /// <summary>The maximum number of tasks in the page.</summary>
    /// <value>Default: 100. 1 to 1,000.</value>
    public int Limit { get; init; } = 100;

    /// <summary>The maximum number of tasks that are examined for the page.</summary>
    /// <value>Default: 100,000. 1 to 1,000,000.</value>
    public int MaxExamined { get; init; } = 100_000;
}
