using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What the engine needs to know of a store.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record StoreTraits
{
    /// <summary>The store's name in logs and metrics, as OpenTelemetry spells it (<c>postgresql</c>, <c>sqlite</c>).</summary>
    public required string System { get; init; }

    /// <summary>Whether nodes hold session locks; without them the lease alone decides.</summary>
    public required bool UsesSessionLocks { get; init; }

    /// <summary>Whether a free lock proves by itself that its process is dead (a lock of the operating system), so that no grace is needed. A lost network session proves nothing.</summary>
    public required bool LockProvesDeath { get; init; }

    /// <summary>How often a node polls when no hint comes.</summary>
    public required TimeSpan PollInterval { get; init; }

    /// <summary>Whether a write waits for its turn inside this process, so that a cancelled token takes it back as long as it has not begun, and does nothing once it has. The engine
    /// passes the lease's token with steps and checkpoints then: what waits when the lease is lost is never stored. Where the token would reach a driver, it passes none.</summary>
    public bool TakesBackQueuedWrites { get; init; }

    /// <summary>Whether an error proves that the server accepts nobody now (starting up, shutting down, not listening), so that no other node can take this one's work meanwhile.
    /// Asked once, with the exception as the session threw it: the store looks at its causes.</summary>
    public Func<Exception, bool> IsServerRejectingAll { get; init; } = static _ => false;
}

/// <summary>An entry to store.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record NewEntry
{
    /// <summary>Its kind.</summary>
    public required string Kind { get; init; }

    /// <summary>Its queue.</summary>
    public required string Queue { get; init; }

    /// <summary>Its priority, 0 to 9.</summary>
    public required int Priority { get; init; }

    /// <summary>Its arguments: JSON in UTF-8.</summary>
    public required ReadOnlyMemory<byte> Args { get; init; }

    /// <summary>Not before this time.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>Not before this long from now.</summary>
    public TimeSpan? RunAfter { get; init; }

    /// <summary>How often it is tried.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>Its unique key, within its kind.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>How long one attempt may run.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>What travels with it, as a JSON object.</summary>
    public string? Metadata { get; init; }

    /// <summary>The W3C trace context of the caller.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>How many suspects (entries whose node died under them twice or more) a claim may bring.</summary>
/// <param name="MaxCrashes">From this many crashes on an entry is at its last chance.</param>
/// <param name="Suspects">How many suspects with fewer crashes than that.</param>
/// <param name="LastChances">How many at their last chance: one, or none.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct SuspectAllowance(int MaxCrashes, int Suspects, int LastChances);

/// <summary>What a claim brought.</summary>
/// <param name="NodeIsDead">The node has been declared dead, or was never registered; nothing was claimed.</param>
/// <param name="Fence">The claim's id; 0 if nothing was claimed.</param>
/// <param name="Entries">The entries in claim order.</param>
/// <param name="NextDue">When the next entry of this queue and these kinds is due, from now, if known and nothing is due now.</param>
[Experimental("TASKRECOVERY001")]
public sealed record ClaimBatch(bool NodeIsDead, long Fence, IReadOnlyList<ClaimedEntry> Entries, TimeSpan? NextDue)
{
    /// <summary>A claim that found nothing and knows of nothing to come.</summary>
    public static ClaimBatch Empty { get; } = new(false, 0, [], null);
}

/// <summary>Entries that were stored by a claimer.</summary>
/// <param name="Results">A result for each entry, in their order; ids ascend in that order.</param>
/// <param name="Batch">Their claim; empty if they wait in line.</param>
[Experimental("TASKRECOVERY001")]
public sealed record ClaimedEnqueue(EnqueueResult[] Results, ClaimBatch Batch);

/// <summary>An entry as a claim hands it out.</summary>
[Experimental("TASKRECOVERY001")]
public sealed class ClaimedEntry
{
    /// <summary>Its id.</summary>
    public required long Id { get; init; }

    /// <summary>Its kind.</summary>
    public required string Kind { get; init; }

    /// <summary>Its priority.</summary>
    public required int Priority { get; init; }

    /// <summary>Its arguments: JSON in UTF-8.</summary>
    public required ReadOnlyMemory<byte> Args { get; init; }

    /// <summary>This attempt's number, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>How often it is tried.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>How often a node died under it since it last made progress.</summary>
    public required int Crashes { get; init; }

    /// <summary>When it was stored.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>How long it has been due, at the time of the claim and by the store's clock.</summary>
    public required TimeSpan Waited { get; init; }

    /// <summary>Whether it holds a unique key, which its end sets free.</summary>
    public bool HasUniqueKey { get; init; }

    /// <summary>Whether a cancel request is stored for it.</summary>
    public bool CancelRequested { get; init; }

    /// <summary>How long one attempt may run.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>What travels with it, as a JSON object.</summary>
    public string? Metadata { get; init; }

    /// <summary>The W3C trace context of the caller.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Why its row can't be read; <see langword="null"/> for nearly every one. The entry ends as failed then, and those beside it are not affected.</summary>
    public string? Problem { get; init; }

    /// <summary>The first attempt at an entry that was stored as claimed.</summary>
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

/// <summary>How a run ended.</summary>
[Experimental("TASKRECOVERY001")]
public enum OutcomeKind
{
    /// <summary>Well. Final.</summary>
    Completed = 0,

    /// <summary>Without success. Final.</summary>
    Failed = 1,

    /// <summary>By a cancel. Final.</summary>
    Cancelled = 2,

    /// <summary>Failed, and is tried again later.</summary>
    Retried = 3,

    /// <summary>Asked to run later; no attempt spent.</summary>
    Snoozed = 4,

    /// <summary>Given back by its node; no attempt spent.</summary>
    Released = 5,

    /// <summary>Its node died.</summary>
    Lost = 6,

    /// <summary>Another entry has its task. Final.</summary>
    Superseded = 7,
}

/// <summary>How one run ended, to be stored under its fence.</summary>
[Experimental("TASKRECOVERY001")]
public sealed class RunOutcome
{
    /// <summary>The entry.</summary>
    public required long EntryId { get; init; }

    /// <summary>The claim it ran under.</summary>
    public required long Fence { get; init; }

    /// <summary>How it ended.</summary>
    public required OutcomeKind Kind { get; init; }

    /// <summary>The result: JSON in UTF-8; empty for none.</summary>
    public ReadOnlyMemory<byte> Result { get; init; }

    /// <summary>What went wrong.</summary>
    public string? Error { get; init; }

    /// <summary>A word of <see cref="EndReasons"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>For <see cref="OutcomeKind.Retried"/>, <see cref="OutcomeKind.Snoozed"/> and <see cref="OutcomeKind.Released"/>: when it runs again, from now.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>For what goes back to the queue: its place in line depends on it.</summary>
    public int MaxCrashes { get; init; }

    /// <summary>How long the run took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether the entry holds a unique key.</summary>
    public bool HasUniqueKey { get; init; }

    /// <summary>Whether the entry runs a task, whose record ends in the same statement.</summary>
    public bool IsTask { get; init; }
}

/// <summary>Whose steps and checkpoint: a task's where the entry runs one, else the entry's.</summary>
/// <param name="EntryId">The entry that is worked.</param>
/// <param name="TaskId">Its task.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct ProgressKey(long EntryId, Guid? TaskId);

/// <summary>What had been finished before.</summary>
/// <param name="Steps">The results of finished steps by name: JSON in UTF-8.</param>
/// <param name="Checkpoint">The last checkpoint: JSON in UTF-8; <see langword="null"/> if there is none.</param>
[Experimental("TASKRECOVERY001")]
public sealed record StoredProgress(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Steps, ReadOnlyMemory<byte>? Checkpoint);

/// <summary>What a node asks about once a second.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Queues">The queues it works.</param>
/// <param name="Kinds">The kinds it knows.</param>
/// <param name="WithUnknownKinds">Whether to look for waiting kinds that the node does not know (now and then is enough).</param>
[Experimental("TASKRECOVERY001")]
public sealed record PollRequest(Guid NodeId, IReadOnlyCollection<string> Queues, IReadOnlyCollection<string> Kinds, bool WithUnknownKinds)
{
    /// <summary>The claims that the node holds, whose cancel requests it asks for; <see langword="null"/> for all that the store has for it.</summary>
    public IReadOnlyList<long>? Claims { get; init; }
}

/// <summary>What a poll found.</summary>
/// <param name="DueQueues">The queues with an entry that is due and of a known kind, and not paused.</param>
/// <param name="NextDue">When the next such entry is due, from now; <see langword="null"/> if none is planned.</param>
/// <param name="CancelRequests">The entries claimed by this node for which a cancel request is stored.</param>
/// <param name="UnknownKinds">Waiting kinds that the node does not know, if asked for.</param>
[Experimental("TASKRECOVERY001")]
public sealed record PollResult(IReadOnlyList<string> DueQueues, TimeSpan? NextDue, IReadOnlyList<long> CancelRequests, IReadOnlyList<string> UnknownKinds);

/// <summary>A hint that there is something to do.</summary>
/// <param name="Kind">What.</param>
/// <param name="Queue">For <see cref="StoreHintKind.Work"/>: the queue.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct StoreHint(StoreHintKind Kind, string? Queue);

/// <summary>What a hint is about.</summary>
[Experimental("TASKRECOVERY001")]
public enum StoreHintKind
{
    /// <summary>An entry was stored or released.</summary>
    Work = 0,

    /// <summary>A cancel was requested, or a queue paused or resumed: poll at once.</summary>
    Control = 1,

    /// <summary>The listener has (re)connected: anything may have been missed.</summary>
    Connected = 2,
}

/// <summary>How much waits in a queue.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Due">Entries that are due; a store may stop counting at 100,000.</param>
/// <param name="OldestAge">How long the first of them has been due.</param>
[Experimental("TASKRECOVERY001")]
public sealed record QueueDepth(string Queue, long Due, TimeSpan OldestAge);
