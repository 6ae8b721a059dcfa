namespace TaskRecovery;

/// <summary>Selects a page of jobs for <see cref="IJobService.ListAsync"/> and <see cref="IQueueMonitor.ListJobsAsync"/>.</summary>
public sealed record JobQuery
{
    /// <summary>Only jobs whose name comes after this one. Pass <see cref="JobPage.NextAfter"/> to get the next page;
    /// <see langword="null"/> starts with the first name.</summary>
    public string? After { get; init; }

    /// <summary>Only jobs whose name contains this text; small and capital letters of ASCII are the same. Only for
    /// <see cref="IQueueMonitor.ListJobsAsync"/>.</summary>
    /// <value>Default: <see langword="null"/>, which means all jobs. At most 1,000 bytes of UTF-8.</value>
    public string? NameContains { get; init; }

    /// <summary>The maximum number of jobs in the page.</summary>
    /// <value>Default: 100. 1 to 1,000.</value>
    public int Limit { get; init; } = 100;

    /// <summary>How many names are compared with <see cref="NameContains"/> for the page at most.</summary>
    /// <value>Default: 100,000. 1 to 1,000,000.</value>
    public int MaxExamined { get; init; } = 100_000;
}
