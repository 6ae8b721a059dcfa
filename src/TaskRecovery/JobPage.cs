namespace TaskRecovery;

/// <summary>One page of jobs.</summary>
/// <param name="Jobs">The jobs, ordered by name.</param>
/// <param name="NextAfter">The value of <see cref="JobQuery.After"/> for the next page; <see langword="null"/> on the last page. If a
/// search has compared <see cref="JobQuery.MaxExamined"/> names before the page was full, it is the last of them.</param>
public sealed record JobPage(IReadOnlyList<Job> Jobs, string? NextAfter);
