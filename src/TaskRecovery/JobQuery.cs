namespace TaskRecovery;

/// <summary>Selects a page of jobs for <see cref="IJobService.ListAsync"/>.</summary>
public sealed record JobQuery
{
    /// <summary>Only jobs whose name comes after this one. Pass <see cref="JobPage.NextAfter"/> to get the next page;
    /// <see langword="null"/> starts with the first name.</summary>
    public string? After { get; init; }

    /// <summary>The maximum number of jobs in the page.</summary>
    /// <value>Default: 100. 1 to 1,000.</value>
    public int Limit { get; init; } = 100;
}
