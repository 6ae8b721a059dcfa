using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Api;

/// <summary>A job in the API: its schedule is text.</summary>
internal sealed record ApiJob(
    Guid Id, string Name, string Kind, string Queue, JobState State, string Schedule,
    DateTimeOffset? NextRunAt, OverlapPolicy Overlap, MissedRunPolicy MissedRuns, int CatchUpLimit,
    int Priority, int MaxAttempts, DateTimeOffset UpdatedAt, string? DeclaredBy, DateTimeOffset? OrphanedAt)
{
    /// <summary>Who paused it, when, why and until when; <see langword="null"/> if it is not paused.</summary>
    public PauseInfo? Pause { get; init; }

    /// <summary>The arguments as JSON; <see langword="null"/> in a list, and if the user may not see them.</summary>
    public string? Args { get; init; }

    public DateTimeOffset? StartAt { get; init; }

    public DateTimeOffset? EndAt { get; init; }

    public string? Except { get; init; }

    public TimeSpan? CatchUpWithin { get; init; }

    public TimeSpan? ExpiresAfter { get; init; }

    public TimeSpan? Timeout { get; init; }

    public static ApiJob Of(Job job, string? args) => new(
        job.Id, job.Name, job.Kind, job.Queue, job.State, job.Schedule.ToString(),
        job.NextRunAt, job.Overlap, job.MissedRuns, job.CatchUpLimit, job.Priority, job.MaxAttempts, job.UpdatedAt,
        job.DeclaredBy, job.OrphanedAt)
    {
        Pause = job.Pause,
        Args = args,
        StartAt = job.StartAt,
        EndAt = job.EndAt,
        Except = job.Except?.Text,
        CatchUpWithin = job.CatchUpWithin,
        ExpiresAfter = job.ExpiresAfter,
        Timeout = job.Timeout,
    };
}
