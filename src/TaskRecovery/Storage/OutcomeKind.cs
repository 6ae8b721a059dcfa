using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The outcome of a run. After a final outcome the entry has ended; after any other outcome it waits again.</summary>
/// <remarks>The stores keep the number, and operators see it as the <see cref="EntryRunEnd"/> of the same number: a number keeps its
/// meaning. What else a new kind needs is listed in <c>docs/development.md</c>.</remarks>
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

    /// <summary>The handler asked to run later. No attempt is spent.</summary>
    Snoozed = 4,

    /// <summary>The node released the entry. No attempt is spent.</summary>
    Released = 5,

    /// <summary>The node of the run died: only a sweep stores this. Traces also have it for a run whose node lost the claim, because the
    /// node does not learn which outcome the store keeps for that run.</summary>
    Lost = 6,

    /// <summary>Another entry has taken over the task, or has replaced this planned run. Final.</summary>
    Superseded = 7,
}
