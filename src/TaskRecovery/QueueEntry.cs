using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery;

/// <summary>A snapshot of a queue entry, taken when it was read.</summary>
public sealed record QueueEntry
{
    /// <summary>The id of the entry.</summary>
    public required long Id { get; init; }

    /// <summary>The kind, which selects the worker.</summary>
    public required string Kind { get; init; }

    /// <summary>The queue.</summary>
    public required string Queue { get; init; }

    /// <summary>The priority, from 0 (most urgent) to 9 (least urgent).</summary>
    public required int Priority { get; init; }

    /// <summary>The arguments as JSON.</summary>
    public required string Args { get; init; }

    /// <summary>The state.</summary>
    public required EntryState State { get; init; }

    /// <summary>The number of attempts made, including the running one.</summary>
    public required int Attempt { get; init; }

    /// <summary>The maximum number of attempts.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>The number of nodes that died while they held the entry, since it last made progress.</summary>
    public required int Crashes { get; init; }

    /// <summary>The time at which the entry was stored, by the database's clock.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The time from which the entry may run; <see langword="null"/> if it is running or has ended.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>The time after which the entry no longer starts; <see langword="null"/> if it does not expire (see
    /// <see cref="EnqueueOptions.ExpiresAt"/>).</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The time at which the entry was last claimed; <see langword="null"/> if it has never been claimed.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>The time at which the entry ended; <see langword="null"/> if it has not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The name or id of the node that runs the entry or last ran it; <see langword="null"/> if there is none.</summary>
    public string? Node { get; init; }

    /// <summary>The unique key; <see langword="null"/> if the entry has none.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>The time limit of one attempt, as stored with the entry; <see langword="null"/> if the worker's own limit
    /// applies.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The application-defined metadata; <see langword="null"/> if there are none (see
    /// <see cref="EnqueueOptions.Metadata"/>).</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>The result as JSON; <see langword="null"/> if the entry has none.</summary>
    public string? Result { get; init; }

    /// <summary>The text of the most recent error, or of the call of <see cref="WorkContext.Fail"/> or <see cref="WorkContext.Cancel"/>, or
    /// why the entry was cancelled or released; <see langword="null"/> if there is none.</summary>
    public string? Error { get; init; }

    /// <summary>A stable code for why the entry ended other than successfully, or was erased (see <see cref="EndReasons"/>); otherwise
    /// <see langword="null"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether cancellation of the entry has been requested.</summary>
    public bool CancelRequested { get; init; }

    /// <summary>Describes the entry. Omits the application's data (arguments, result, unique key, metadata), which don't belong in
    /// logs.</summary>
    public override string ToString()
        => $"Entry {Id} ({EntryText.Shown(Kind)}, queue {EntryText.Shown(Queue)}): {State}, attempt {Attempt} of {MaxAttempts}";
}
