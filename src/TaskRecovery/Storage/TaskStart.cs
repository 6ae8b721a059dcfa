using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The result of a request to start a run.</summary>
/// <param name="Decision">Whether the run starts.</param>
/// <param name="Task">The task, in the running state, if the run starts.</param>
/// <param name="Job">The job of the task.</param>
/// <param name="Reason">Why the run does not start (see <see cref="EndReasons"/>).</param>
/// <param name="WaitFor">How long a run that waits is snoozed; <see langword="null"/> for a time that the node chooses.</param>
/// <param name="Dropped">The number of missed runs that will not be made up for (see <see cref="NextRun.Dropped"/>).</param>
[Experimental("TASKRECOVERY001")]
public sealed record TaskStart(
    TaskStartDecision Decision, TaskRecord? Task, Job? Job, string? Reason, TimeSpan? WaitFor = null, int Dropped = 0);
