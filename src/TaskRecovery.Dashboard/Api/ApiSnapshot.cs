namespace TaskRecovery.Dashboard.Api;

/// <summary>The snapshot for a user with a scope: without the numbers that count more than the scope.</summary>
internal sealed record ApiSnapshot(DateTimeOffset TakenAt, IReadOnlyList<QueueSummary> Queues);
