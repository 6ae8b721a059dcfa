namespace TaskRecovery.Storage;

/// <summary>The events about jobs, the same in both stores.</summary>
internal static class JobEvents
{
    /// <summary>An event about a job; without an operator, the end of a pause.</summary>
    public static NewEvent Of(QueueEventKind kind, string job, AuditInfo? audit)
        => new(kind, audit) { Subject = $"job {job}", Detail = audit is null ? NewEvent.PauseIsOver : null };

    /// <summary>The event of a pause.</summary>
    /// <param name="job">The name of the job.</param>
    /// <param name="pause">The pause.</param>
    /// <param name="former">The pause that it replaces; <see langword="null"/> if there is none.</param>
    /// <param name="audit">The operator.</param>
    public static NewEvent Paused(string job, PauseInfo pause, PauseInfo? former, AuditInfo audit)
        => Of(QueueEventKind.Paused, job, audit) with { Detail = PauseText.Of(pause, former) };

    /// <summary>The event of a backfill.</summary>
    public static NewEvent Backfilled(string job, int runs, IReadOnlyList<DateTimeOffset> dues, AuditInfo audit)
        => Of(QueueEventKind.JobBackfilled, job, audit) with { Entries = runs, Detail = $"from {dues[0]:u} to {dues[^1]:u}" };

    /// <summary>The event of missed runs that are not made up for.</summary>
    public static NewEvent Dropped(string job, int runs)
        => new(QueueEventKind.RunsDropped, null) { Subject = $"job {job}", Entries = runs };
}
