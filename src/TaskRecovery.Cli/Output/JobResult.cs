namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of a job.</summary>
internal sealed record JobResult(
    Guid Id, string Name, string Kind, string Schedule, JobState State,
    string Queue, DateTimeOffset? NextRunAt, PauseInfo? Pause, string? DeclaredBy, DateTimeOffset? OrphanedAt);
