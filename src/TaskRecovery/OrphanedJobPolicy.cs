namespace TaskRecovery;

/// <summary>What happens to a job that the application declared in its code and no longer declares.</summary>
public enum OrphanedJobPolicy
{
    /// <summary>The job keeps running. It is logged, and <see cref="Job.OrphanedAt"/> says since when it is an orphan.</summary>
    Keep = 0,

    /// <summary>The job is deleted, and its unfinished tasks are cancelled. While an old version of the application still runs somewhere,
    /// each start of it declares the job again.</summary>
    Delete = 1,
}
