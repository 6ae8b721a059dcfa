namespace TaskRecovery.Dashboard.Pages;

/// <summary>One page of tasks.</summary>
/// <param name="Page">The tasks.</param>
/// <param name="Jobs">The jobs of these tasks by id, without those that were deleted.</param>
internal sealed record TaskList(TaskPage Page, IReadOnlyDictionary<Guid, Job> Jobs);
