namespace TaskRecovery;

/// <summary>One run of a job.</summary>
public sealed record TaskRecord
{
    /// <summary>The task's id, a UUID version 7.</summary>
    public required Guid Id { get; init; }

    /// <summary>Its job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>The entry that runs it; <see langword="null"/> only for a task that recovery has not reached yet.</summary>
    public long? EntryId { get; init; }

    /// <summary>Where it is.</summary>
    public required TaskState State { get; init; }

    /// <summary>The due time it was created for; <see langword="null"/> for a run triggered by hand.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>How many attempts have been spent; the one running counts.</summary>
    public int Attempt { get; init; }

    /// <summary>How often a node died under it since it last made progress.</summary>
    public int Crashes { get; init; }

    /// <summary>Its result as JSON.</summary>
    public string? Result { get; init; }

    /// <summary>What went wrong last.</summary>
    public string? Error { get; init; }

    /// <summary>Why it ended other than well (see <see cref="EndReasons"/>).</summary>
    public string? Reason { get; init; }

    /// <summary>The node that runs it or ran it last.</summary>
    public string? Node { get; init; }

    /// <summary>When it was created, by the database's clock.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its latest attempt started.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What and where it is, without its result and its error.</summary>
    public override string ToString() => $"Task {Id} of job {JobId} (entry {EntryId}): {State}, attempt {Attempt}";
}

/// <summary>Where a task is.</summary>
public enum TaskState
{
    /// <summary>It has not started, or is between two attempts.</summary>
    Created = 0,

    /// <summary>A node runs it.</summary>
    Running = 1,

    /// <summary>Ended well.</summary>
    Completed = 2,

    /// <summary>Ended without success.</summary>
    Failed = 3,

    /// <summary>Ended by a cancel, or skipped.</summary>
    Cancelled = 4,
}

/// <summary>Whether a task may still run.</summary>
/// <param name="IsValid">It may.</param>
/// <param name="Reason">Why not (see <see cref="EndReasons"/>).</param>
public readonly record struct TaskValidity(bool IsValid, string? Reason);
