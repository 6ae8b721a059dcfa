using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The run that follows a planned run.</summary>
/// <param name="Due">The due time, for which the store adds an entry; a time in the past means at once. <see langword="null"/> if no run
/// follows: the job ends.</param>
/// <param name="Dropped">The number of missed runs of <see cref="MissedRunPolicy.RunAll"/> that are not made up for, counted up to 1,000.
/// The store adds an event about them.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct NextRun(DateTimeOffset? Due, int Dropped = 0)
{
    /// <summary>The state of a job after the run was planned: it ends if no run follows.</summary>
    public JobState StateOf(JobState state) => Due is null ? JobState.Ended : state;
}
