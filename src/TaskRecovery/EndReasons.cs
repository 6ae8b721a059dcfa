namespace TaskRecovery;

/// <summary>Stable codes for why an entry or a task failed, was cancelled or was skipped.</summary>
public static class EndReasons
{
    /// <summary>The last attempt failed and no attempts are left.</summary>
    public const string AttemptsExhausted = "attempts_exhausted";

    /// <summary>The worker called <see cref="WorkContext.Fail"/>, so the entry was not retried.</summary>
    public const string FailedForGood = "failed_for_good";

    /// <summary>The arguments could not be deserialized to the worker's arguments type, in any attempt.</summary>
    public const string InvalidArgs = "invalid_args";

    /// <summary>The stored row can't be read as an entry, because another program wrote or changed it.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>More than <see cref="RecoveryOptions.MaxCrashes"/> nodes died while they held the entry, the last one without any other
    /// suspect entry.</summary>
    public const string CrashLoop = "crash_loop";

    /// <summary>Cancellation was requested, for example with <see cref="IJobQueue.CancelAsync"/>.</summary>
    public const string CancelRequested = "cancel_requested";

    /// <summary>The run stopped because of a cancel request that was withdrawn before its outcome was stored: the entry runs
    /// again.</summary>
    public const string CancelWithdrawn = "cancel_withdrawn";

    /// <summary>The data were erased with <see cref="IJobQueue.EraseAsync"/>. An entry that had already ended gets this reason too, but
    /// keeps its state.</summary>
    public const string Erased = "erased";

    /// <summary>The entry did not start in time: before its <see cref="EnqueueOptions.ExpiresAt"/>, within
    /// <see cref="JobDefinition.ExpiresAfter"/> of its due time, or within <see cref="RetentionOptions.Due"/> without being
    /// claimed.</summary>
    public const string Expired = "expired";

    /// <summary>The entry was released before its handler had begun, for example because the host was stopping. The entry still expires at
    /// its <see cref="EnqueueOptions.ExpiresAt"/>.</summary>
    public const string NotStarted = "not_started";

    /// <summary>The worker called <see cref="WorkContext.Cancel"/>.</summary>
    public const string CancelledByWorker = "cancelled_by_worker";

    /// <summary>Another entry has taken over the task, or a change of the job has replaced this planned run.</summary>
    public const string Superseded = "superseded";

    /// <summary>Recovery found the task unfinished and older than <see cref="RecoveryOptions.MaxRecoveryAge"/>.</summary>
    public const string TooOld = "too_old";

    /// <summary>The job has been deleted.</summary>
    public const string JobDeleted = "job_deleted";

    /// <summary>The job was paused. A run that was requested is snoozed with this reason until the end of the pause.</summary>
    public const string JobNotActive = "job_not_active";

    /// <summary>The task that the entry refers to does not exist.</summary>
    public const string TaskNotFound = "task_not_found";

    /// <summary>The task that the entry refers to has already ended.</summary>
    public const string TaskFinished = "task_finished";

    /// <summary>Another run of the job was still unfinished, and the job's <see cref="OverlapPolicy"/> skips or cancels one of
    /// them.</summary>
    public const string Overlap = "overlap";

    /// <summary>The next run was due too by the time at which this one could start, and the job does not make up for it: see
    /// <see cref="MissedRunPolicy"/>, <see cref="JobDefinition.CatchUpWithin"/> and <see cref="JobDefinition.CatchUpLimit"/>.</summary>
    public const string Missed = "missed";
}
