namespace TaskRecovery.Dashboard.Api;

/// <summary>A job in the API: its schedule is text.</summary>
internal sealed record ApiJob(
    Guid Id, string Name, string Kind, string Queue, JobState State, string Schedule,
    DateTimeOffset? NextRunAt, OverlapPolicy Overlap, MissedRunPolicy MissedRuns, string? DeclaredBy, DateTimeOffset? OrphanedAt)
{
    public static ApiJob Of(Job job) => new(
        job.Id, job.Name, job.Kind, job.Queue, job.State, job.Schedule.ToString(),
        job.NextRunAt, job.Overlap, job.MissedRuns, job.DeclaredBy, job.OrphanedAt);
}
