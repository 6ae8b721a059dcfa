namespace TaskRecovery.Dashboard.Api;

/// <summary>One page of jobs.</summary>
/// <param name="Jobs">The jobs, ordered by name.</param>
/// <param name="NextAfter">The value of <c>after</c> for the next page; <see langword="null"/> on the last page.</param>
internal sealed record ApiJobPage(IReadOnlyList<ApiJob> Jobs, string? NextAfter);
