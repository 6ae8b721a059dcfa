using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The properties of a store on which the engine depends.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record StoreTraits
{
    /// <summary>The store's name in logs and metrics, as OpenTelemetry spells it (<c>postgresql</c>, <c>sqlite</c>).</summary>
    public required string System { get; init; }

    /// <summary>Whether nodes hold session locks. Without them, a node is declared dead only when its lease has expired.</summary>
    public required bool UsesSessionLocks { get; init; }

    /// <summary>Whether a free lock alone proves that its process is dead, as a lock of the operating system does, so that no grace period
    /// is needed. A lost network session is no such proof.</summary>
    public required bool LockProvesDeath { get; init; }

    /// <summary>The interval at which a node polls if it receives no hint.</summary>
    public required TimeSpan PollInterval { get; init; }

    /// <summary>Whether writes are queued inside this process, so that cancelling the token removes a write that has not begun and has no
    /// effect on one that has. If so, the engine passes the lease's token with steps and checkpoints, and a write that is still queued when
    /// the lease is lost is never stored. If the token would reach a database driver instead, the engine passes none.</summary>
    public bool TakesBackQueuedWrites { get; init; }

    /// <summary>Returns whether an error proves that the server rejects all connections (it is starting up, shutting down or not
    /// listening), so that no other node can take over this node's work. Called once, with the exception that the session threw; the store
    /// inspects the inner exceptions.</summary>
    public Func<Exception, bool> IsServerRejectingAll { get; init; } = static _ => false;
}

/// <summary>An entry to store.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record NewEntry
{
    /// <summary>The kind.</summary>
    public required string Kind { get; init; }

    /// <summary>The queue.</summary>
    public required string Queue { get; init; }

    /// <summary>The priority, 0 to 9.</summary>
    public required int Priority { get; init; }

    /// <summary>The arguments as UTF-8 JSON.</summary>
    public required ReadOnlyMemory<byte> Args { get; init; }

    /// <summary>The earliest time at which the entry may run; <see langword="null"/> for now.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>The delay before the entry may run; <see langword="null"/> for none.</summary>
    public TimeSpan? RunAfter { get; init; }

    /// <summary>The maximum number of attempts.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>The unique key, within the kind; <see langword="null"/> for none.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>The time limit of one attempt; <see langword="null"/> for the worker's own limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The metadata as a JSON object; <see langword="null"/> for none.</summary>
    public string? Metadata { get; init; }

    /// <summary>The W3C trace context of the enqueue call; <see langword="null"/> for none.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>The number of suspects that a claim may return. A suspect is an entry during whose runs two or more node crashes have
/// occurred.</summary>
/// <param name="MaxCrashes">The number of crashes from which on an entry is at its last chance: one more crash ends it.</param>
/// <param name="Suspects">The maximum number of suspects with fewer crashes.</param>
/// <param name="LastChances">The maximum number of entries at their last chance: one or none.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct SuspectAllowance(int MaxCrashes, int Suspects, int LastChances);

/// <summary>The result of a claim.</summary>
/// <param name="NodeIsDead">Whether the node has been declared dead or was never registered. If so, nothing was claimed.</param>
/// <param name="Fence">The claim id; 0 if nothing was claimed.</param>
/// <param name="Entries">The entries in claim order.</param>
/// <param name="NextDue">The time until the next entry of this queue and these kinds is due; <see langword="null"/> if unknown. Zero if the
/// claim stopped at <see cref="ClaimLimits.Bytes"/>.</param>
[Experimental("TASKRECOVERY001")]
public sealed record ClaimBatch(bool NodeIsDead, long Fence, IReadOnlyList<ClaimedEntry> Entries, TimeSpan? NextDue)
{
    /// <summary>An empty claim, with no known next due time.</summary>
    public static ClaimBatch Empty { get; } = new(false, 0, [], null);
}

/// <summary>The result of storing entries with a claimer.</summary>
/// <param name="Results">One result per entry, in the same order, with ascending ids.</param>
/// <param name="Batch">The claim of the entries; empty if they wait in the queue instead.</param>
[Experimental("TASKRECOVERY001")]
public sealed record ClaimedEnqueue(EnqueueResult[] Results, ClaimBatch Batch);

/// <summary>An entry returned by a claim.</summary>
[Experimental("TASKRECOVERY001")]
public sealed class ClaimedEntry
{
    /// <summary>The id of the entry.</summary>
    public required long Id { get; init; }

    /// <summary>The kind.</summary>
    public required string Kind { get; init; }

    /// <summary>The priority.</summary>
    public required int Priority { get; init; }

    /// <summary>The arguments as UTF-8 JSON.</summary>
    public required ReadOnlyMemory<byte> Args { get; init; }

    /// <summary>The number of this attempt, starting at 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>The maximum number of attempts.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>The number of node crashes while the entry was running, since it last made progress.</summary>
    public required int Crashes { get; init; }

    /// <summary>The time at which the entry was stored.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>How long the entry had been due at the time of the claim, by the store's clock.</summary>
    public required TimeSpan Waited { get; init; }

    /// <summary>Whether the entry holds a unique key, which is released when the entry ends.</summary>
    public bool HasUniqueKey { get; init; }

    /// <summary>Whether a cancel request is stored for the entry.</summary>
    public bool CancelRequested { get; init; }

    /// <summary>The time limit of one attempt; <see langword="null"/> for the worker's own limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The metadata as a JSON object; <see langword="null"/> for none.</summary>
    public string? Metadata { get; init; }

    /// <summary>The W3C trace context of the enqueue call; <see langword="null"/> for none.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Why the row can't be read; <see langword="null"/> for a valid row. An unreadable entry ends as failed and does not affect
    /// the other entries of the claim.</summary>
    public string? Problem { get; init; }

    /// <summary>Creates the first attempt of an entry that was stored as claimed.</summary>
    public static ClaimedEntry First(NewEntry entry, long id, DateTimeOffset createdAt) => new()
    {
        Id = id,
        Kind = entry.Kind,
        Priority = entry.Priority,
        Args = entry.Args,
        Attempt = 1,
        MaxAttempts = entry.MaxAttempts,
        Crashes = 0,
        CreatedAt = createdAt,
        Waited = TimeSpan.Zero,
        Timeout = entry.Timeout,
        Metadata = entry.Metadata,
        TraceParent = entry.TraceParent,
    };
}

/// <summary>The outcome of a run.</summary>
[Experimental("TASKRECOVERY001")]
public enum OutcomeKind
{
    /// <summary>The run succeeded. Final.</summary>
    Completed = 0,

    /// <summary>The entry failed. Final.</summary>
    Failed = 1,

    /// <summary>The entry was cancelled. Final.</summary>
    Cancelled = 2,

    /// <summary>The run failed, and the entry is retried later.</summary>
    Retried = 3,

    /// <summary>The handler asked to run later. No attempt is used up.</summary>
    Snoozed = 4,

    /// <summary>The node released the entry. No attempt is used up.</summary>
    Released = 5,

    /// <summary>The node of the run died.</summary>
    Lost = 6,

    /// <summary>Another entry has taken over the task, or has replaced this planned run. Final.</summary>
    Superseded = 7,
}

/// <summary>The outcome of one run, to be stored under its fence.</summary>
[Experimental("TASKRECOVERY001")]
public sealed class RunOutcome
{
    /// <summary>The id of the entry.</summary>
    public required long EntryId { get; init; }

    /// <summary>The fence (claim id) of the run.</summary>
    public required long Fence { get; init; }

    /// <summary>The kind of outcome.</summary>
    public required OutcomeKind Kind { get; init; }

    /// <summary>The result as UTF-8 JSON; empty for none.</summary>
    public ReadOnlyMemory<byte> Result { get; init; }

    /// <summary>The error text; <see langword="null"/> for none.</summary>
    public string? Error { get; init; }

    /// <summary>The reason code (see <see cref="EndReasons"/>); <see langword="null"/> for none.</summary>
    public string? Reason { get; init; }

    /// <summary>For <see cref="OutcomeKind.Retried"/>, <see cref="OutcomeKind.Snoozed"/> and <see cref="OutcomeKind.Released"/>: the delay
    /// before the entry runs again.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The crash limit, which determines the position of an entry that returns to the queue.</summary>
    public int MaxCrashes { get; init; }

    /// <summary>The duration of the run.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether the entry holds a unique key.</summary>
    public bool HasUniqueKey { get; init; }

    /// <summary>Whether the entry runs a task, whose record is updated in the same statement.</summary>
    public bool IsTask { get; init; }
}

/// <summary>Identifies the owner of steps and a checkpoint: the task if the entry runs one, otherwise the entry.</summary>
/// <param name="EntryId">The id of the running entry.</param>
/// <param name="TaskId">The id of its task; <see langword="null"/> if it runs none.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct ProgressKey(long EntryId, Guid? TaskId);

/// <summary>The stored progress of an entry or its task.</summary>
/// <param name="Steps">The results of finished steps as UTF-8 JSON, by step name.</param>
/// <param name="Checkpoint">The last checkpoint as UTF-8 JSON; <see langword="null"/> if there is none.</param>
[Experimental("TASKRECOVERY001")]
public sealed record StoredProgress(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Steps, ReadOnlyMemory<byte>? Checkpoint);

/// <summary>The request of a node's periodic poll.</summary>
/// <param name="NodeId">The id of the node.</param>
/// <param name="Queues">The queues that the node serves.</param>
/// <param name="Kinds">The kinds that the node can run.</param>
/// <param name="WithUnknownKinds">Whether to look for waiting kinds that the node can't run. Set only occasionally.</param>
[Experimental("TASKRECOVERY001")]
public sealed record PollRequest(Guid NodeId, IReadOnlyCollection<string> Queues, IReadOnlyCollection<string> Kinds, bool WithUnknownKinds)
{
    /// <summary>The fences of the claims whose cancel requests are returned; <see langword="null"/> for all claims that the store has for
    /// the node.</summary>
    public IReadOnlyList<long>? Claims { get; init; }
}

/// <summary>The result of a poll.</summary>
/// <param name="DueQueues">The queues that are not paused and have a due entry of a requested kind.</param>
/// <param name="NextDue">The time until the next such entry is due; <see langword="null"/> if there is none.</param>
/// <param name="CancelRequests">The ids of entries claimed by this node for which a cancel request is stored.</param>
/// <param name="UnknownKinds">The waiting kinds that the node can't run, if requested.</param>
[Experimental("TASKRECOVERY001")]
public sealed record PollResult(IReadOnlyList<string> DueQueues, TimeSpan? NextDue, IReadOnlyList<long> CancelRequests, IReadOnlyList<string> UnknownKinds);

/// <summary>A hint that there is new work or a control change.</summary>
/// <param name="Kind">The subject of the hint.</param>
/// <param name="Queue">For <see cref="StoreHintKind.Work"/>: the queue.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct StoreHint(StoreHintKind Kind, string? Queue);

/// <summary>The subject of a hint.</summary>
[Experimental("TASKRECOVERY001")]
public enum StoreHintKind
{
    /// <summary>An entry was stored or released.</summary>
    Work = 0,

    /// <summary>A cancellation was requested, or a queue was paused or resumed. The node polls at once.</summary>
    Control = 1,

    /// <summary>The listener has connected or reconnected. Hints may have been missed.</summary>
    Connected = 2,
}

/// <summary>The depth and age of a queue.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Due">The number of due entries. A store may stop counting at 100,000.</param>
/// <param name="OldestAge">How long the oldest of them has been due.</param>
[Experimental("TASKRECOVERY001")]
public sealed record QueueDepth(string Queue, long Due, TimeSpan OldestAge);
