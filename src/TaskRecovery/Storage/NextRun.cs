using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The run that follows a planned run.</summary>
/// <param name="Due">The due time, for which the store adds an entry; a time in the past means at once. <see langword="null"/> if no run
/// follows: the job ends.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct NextRun(DateTimeOffset? Due)
{
    /// <summary>The state of a job after the run was planned: it ends if no run follows.</summary>
    public JobState StateOf(JobState state) => Due is null ? JobState.Ended : state;
}
