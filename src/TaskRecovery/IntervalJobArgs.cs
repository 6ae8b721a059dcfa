using TaskRecovery.Workers;

namespace TaskRecovery;

/// <summary>The arguments of an entry that runs a job.</summary>
/// <param name="JobId">The id of the job.</param>
/// <param name="TaskId">The id of the task to run again; <see langword="null"/> for a new run.</param>
public sealed record IntervalJobArgs(Guid JobId, Guid? TaskId);
