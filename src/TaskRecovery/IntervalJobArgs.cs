
namespace TaskRecovery;

/// <summary>The arguments of an entry that runs a job.</summary>
/// <param name="JobId">The id of the job.</param>
/// <param name="TaskId">The id of the task to run again; <see langword="null"/> for a new run.</param>
/// <param name="DueAt">The due time of a planned run, or of one that <see cref="IJobService.BackfillAsync"/> requested; otherwise
/// <see langword="null"/>.</param>
/// <param name="Overlap">The overlap policy of this run; <see langword="null"/> for that of the job.</param>
/// <param name="IsPlanned">Whether the schedule planned the run.</param>
public sealed record IntervalJobArgs(
    Guid JobId, Guid? TaskId, DateTimeOffset? DueAt = null, OverlapPolicy? Overlap = null, bool IsPlanned = false);
