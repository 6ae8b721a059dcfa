namespace TaskRecovery;

/// <summary>Selects the last tasks of each of some jobs.</summary>
public sealed record LastTasksQuery
{
    /// <summary>The ids of the jobs, at most 1,000.</summary>
    public required IReadOnlyCollection<Guid> JobIds { get; init; }

    /// <summary>The maximum number of tasks of each job.</summary>
    /// <value>Default: 20. 1 to 100.</value>
    public int Limit { get; init; } = 20;
}
