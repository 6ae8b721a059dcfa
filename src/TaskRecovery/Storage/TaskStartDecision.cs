using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Whether a run starts.</summary>
[Experimental("TASKRECOVERY001")]
public enum TaskStartDecision
{
    /// <summary>A new task starts.</summary>
    Started = 0,

    /// <summary>A task that ran before starts again.</summary>
    Recovered = 1,

    /// <summary>The run is skipped and its entry ends as cancelled, with the reason. For a new run, the store has already ended the
    /// entry.</summary>
    Skip = 2,

    /// <summary>The task is no longer bound to the entry, or the job's plan or kind has changed since.</summary>
    Superseded = 3,

    /// <summary>The node no longer holds the claim.</summary>
    ClaimLost = 4,

    /// <summary>The run can't start yet: an earlier run of its job is unfinished, this node can't plan the run after it, or another
    /// transaction keeps its job locked. The entry is snoozed.</summary>
    Wait = 5,
}
