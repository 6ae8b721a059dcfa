namespace TaskRecovery.Storage;

/// <summary>Leaves the application's data out of an entry.</summary>
internal static class EntrySummaries
{
    internal static EntrySummary Of(QueueEntry entry) => new()
    {
        Id = entry.Id,
        Kind = entry.Kind,
        Queue = entry.Queue,
        State = entry.State,
        Priority = entry.Priority,
        Attempt = entry.Attempt,
        MaxAttempts = entry.MaxAttempts,
        Crashes = entry.Crashes,
        CreatedAt = entry.CreatedAt,
        RunAt = entry.RunAt,
        StartedAt = entry.StartedAt,
        EndedAt = entry.EndedAt,
        Node = entry.Node,
        Reason = entry.Reason,
        CancelRequested = entry.CancelRequested,
    };
}
