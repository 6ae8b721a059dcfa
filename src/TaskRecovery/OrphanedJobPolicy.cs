namespace TaskRecovery;

/// <summary>What happens to a job that the application declared in its code and no longer declares.</summary>
public enum OrphanedJobPolicy
{
    /// <summary>The job keeps running. It is logged, and <see cref="Job.OrphanedAt"/> says since when it is an orphan.</summary>
    Keep = 0,

    /// <summary>The job is deleted, and its unfinished tasks are cancelled, when a process of the application starts and the job has been
    /// an orphan for at least an hour. Until then it keeps running, because during a deployment processes of two versions start. Each start
    /// of a version that declares the job makes it no orphan again.</summary>
    Delete = 1,
}
