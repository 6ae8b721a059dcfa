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

    /// <summary>Whether a pause adds a queue or kind that no entry and no node has used yet. Without it, such a name is not found, so that
    /// a misspelled one does not look as if it had been paused.</summary>
    public bool MayBeNew { get; private init; }

    /// <summary>A queue: no node claims entries from it.</summary>
    /// <param name="name">The name.</param>
    /// <param name="mayBeNew">Whether a queue that no entry and no node has used yet is added (see <see cref="MayBeNew"/>).</param>
    public static PauseTarget Queue(string name, bool mayBeNew = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new() { QueueName = name, MayBeNew = mayBeNew };
    }

    /// <summary>A kind: no node claims entries of it, in any queue. Takes effect on each node at its next poll, within a second.</summary>
    /// <param name="name">The name.</param>
    /// <param name="mayBeNew">Whether a kind that no entry and no node has used yet is added (see <see cref="MayBeNew"/>).</param>
    public static PauseTarget Kind(string name, bool mayBeNew = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new() { KindName = name, MayBeNew = mayBeNew };
    }

    /// <summary>A job: none of its runs starts.</summary>
    public static PauseTarget Job(Guid jobId) => new() { JobId = jobId };

    /// <summary>Describes the target.</summary>
    public override string ToString() => QueueName is { } queue ? $"queue {EntryText.Shown(queue)}"
        : KindName is { } kind ? $"kind {EntryText.Shown(kind)}"
        : $"job {JobId}";
}
