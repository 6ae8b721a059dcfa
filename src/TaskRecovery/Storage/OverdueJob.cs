using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>An active job whose planned run has been due for long and has not started, although no earlier run is unfinished. If no node
/// can plan the job, its planned run is put back again and again.</summary>
/// <param name="Name">The name of the job.</param>
/// <param name="By">How long the run had been due when the jobs were read.</param>
[Experimental("TASKRECOVERY001")]
public sealed record OverdueJob(string Name, TimeSpan By)
{
    /// <summary>How many of them a store reports at most: those that have been due for longest.</summary>
    public const int Most = 100;

    /// <summary>How long a planned run must have been due: 5 minutes.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Returns whether a job is active and has no planned run, or one that has been due for longer than <see cref="Limit"/>. The
    /// run may still wait for an earlier one, which the job does not show.</summary>
    public static bool MayBe(Job job, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.State == JobState.Active && (job.NextRunAt is not { } due || now - due > Limit);
    }
}
