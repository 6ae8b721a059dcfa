namespace TaskRecovery;

/// <summary>Why a job is paused, and until when.</summary>
/// <param name="At">When the job was paused, by the database's clock.</param>
/// <param name="Reason">Why it was paused; <see langword="null"/> if the caller did not say.</param>
/// <param name="By">Who paused it; <see langword="null"/> if the caller did not say.</param>
/// <param name="Until">When it resumes by itself; <see langword="null"/> if it stays paused until
/// <see cref="IJobService.ResumeAsync"/>.</param>
public sealed record JobPause(DateTimeOffset At, string? Reason = null, string? By = null, DateTimeOffset? Until = null);
