namespace TaskRecovery.Dashboard.Api;

/// <summary>One job with its plan and its last runs.</summary>
/// <param name="Job">The job.</param>
/// <param name="NextRuns">The times of its next runs; <see langword="null"/> if this machine can't compute them.</param>
/// <param name="LastTasks">Its last tasks, newest first.</param>
internal sealed record ApiJobDetails(ApiJob Job, IReadOnlyList<DateTimeOffset>? NextRuns, IReadOnlyList<TaskRecord> LastTasks);
