using TaskRecovery.Queue;

namespace TaskRecovery;

/// <summary>An entry of the queue as it was when it was read.</summary>
public sealed record QueueEntry
{
    /// <summary>The entry's id.</summary>
    public required long Id { get; init; }

    /// <summary>Its kind.</summary>
    public required string Kind { get; init; }

    /// <summary>Its queue.</summary>
    public required string Queue { get; init; }

    /// <summary>Its priority, 0 (first) to 9.</summary>
    public required int Priority { get; init; }

    /// <summary>Its arguments, as JSON.</summary>
    public required string Args { get; init; }

    /// <summary>Where it is.</summary>
    public required EntryState State { get; init; }

    /// <summary>How many attempts have been spent; the one running counts.</summary>
    public required int Attempt { get; init; }

    /// <summary>How many attempts it has.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>How often a node died under it since it last made progress.</summary>
    public required int Crashes { get; init; }

    /// <summary>When it was stored, by the database's clock.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it may run, or was last due; <see langword="null"/> when it runs or has ended.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>When it was claimed; <see langword="null"/> while it waits for the first time.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The node that runs it or ran it last, by name or id.</summary>
    public string? Node { get; init; }

    /// <summary>Its unique key.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>The time limit of one attempt that it was stored with.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>What was sent along.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Its result as JSON, if it ended with one.</summary>
    public string? Result { get; init; }

    /// <summary>Why it failed, was cancelled or was put back, most recently.</summary>
    public string? Error { get; init; }

    /// <summary>A short, stable word for how it ended (see <see cref="EndReasons"/>); <see langword="null"/> while it has not.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether a cancel request is stored for it.</summary>
    public bool CancelRequested { get; init; }

    /// <summary>What and where it is, without what the application stored in it: arguments, results, keys and metadata don't belong in logs.</summary>
    public override string ToString() => $"Entry {Id} ({EntryText.Shown(Kind)}, queue {EntryText.Shown(Queue)}): {State}, attempt {Attempt} of {MaxAttempts}";
}
