using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What a start does. The store applies all of it in the transaction in which it has read the facts.</summary>
/// <param name="Decision">Whether the run starts.</param>
/// <param name="Reason">Why the run does not start (see <see cref="EndReasons"/>).</param>
/// <param name="EndsEntry">Whether the entry ends as cancelled, with the reason, under its claim. If the store finds that another outcome
/// was stored first, the start changes nothing, and the claim is lost.</param>
/// <param name="Next">The job's next run; <see langword="null"/> if the plan does not change.</param>
/// <param name="IsQueued">Whether the run waits with a task of its own, which the store creates if the entry has none.</param>
/// <param name="CancelsOthers">Whether the store requests cancellation of the job's other unfinished tasks.</param>
/// <param name="IsCatchUp">Whether the new task makes up for a missed run.</param>
/// <param name="WaitFor">How long a run that waits waits before it asks again; <see langword="null"/> for a time that the node
/// chooses.</param>
/// <param name="WaitsForResume">Whether the store puts the entry back at once, as snoozed for <paramref name="WaitFor"/> with the reason
/// <see cref="EndReasons.JobNotActive"/>. The end of the pause makes it due.</param>
[Experimental("TASKRECOVERY001")]
public sealed record TaskStartVerdict(
    TaskStartDecision Decision, string? Reason, bool EndsEntry = false, NextRun? Next = null,
    bool IsQueued = false, bool CancelsOthers = false, bool IsCatchUp = false,
    TimeSpan? WaitFor = null, bool WaitsForResume = false);
