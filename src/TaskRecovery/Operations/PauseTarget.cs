using TaskRecovery.Rules;

namespace TaskRecovery;

/// <summary>Something that can be paused: a queue, a kind or a job.</summary>
public sealed record PauseTarget
{
    private PauseTarget()
    {
    }

    /// <summary>The name of the queue; <see langword="null"/> if it is something else.</summary>
    public string? QueueName { get; private init; }

    /// <summary>The name of the kind; <see langword="null"/> if it is something else.</summary>
    public string? KindName { get; private init; }

    /// <summary>The id of the job; <see langword="null"/> if it is something else.</summary>
    public Guid? JobId { get; private init; }

    /// <summary>A queue: no node claims entries from it.</summary>
    public static PauseTarget Queue(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new() { QueueName = name };
    }

    /// <summary>A kind: no node claims entries of it, in any queue. Takes effect on each node at its next poll, within a second.</summary>
    public static PauseTarget Kind(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new() { KindName = name };
    }

    /// <summary>A job: none of its runs starts.</summary>
    public static PauseTarget Job(Guid jobId) => new() { JobId = jobId };

    /// <summary>Describes the target.</summary>
    public override string ToString() => QueueName is { } queue ? $"queue {EntryText.Shown(queue)}"
        : KindName is { } kind ? $"kind {EntryText.Shown(kind)}"
        : $"job {JobId}";
}
