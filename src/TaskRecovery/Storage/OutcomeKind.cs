using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

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
