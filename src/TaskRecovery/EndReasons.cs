namespace TaskRecovery;

/// <summary>The stable words that say why an entry or a task ended other than well.</summary>
public static class EndReasons
{
    /// <summary>Its attempts are used up.</summary>
    public const string AttemptsExhausted = "attempts_exhausted";

    /// <summary>Its worker said that trying again is no use.</summary>
    public const string FailedForGood = "failed_for_good";

    /// <summary>Its arguments could not be read as the type its worker wants, in any of its attempts.</summary>
    public const string InvalidArgs = "invalid_args";

    /// <summary>Its row in the store can't be read as an entry: something else than this library wrote or changed it.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>Its node died under it too often while it was the only suspect there.</summary>
    public const string CrashLoop = "crash_loop";

    /// <summary>Someone asked for it to be cancelled.</summary>
    public const string CancelRequested = "cancel_requested";

    /// <summary>Its data were erased (<see cref="IJobQueue.EraseAsync"/>). Entries that had ended have this reason too, and stay completed, failed or cancelled.</summary>
    public const string Erased = "erased";

    /// <summary>It was due for longer than <see cref="RetentionOptions.Waiting"/> and no node claimed it.</summary>
    public const string Expired = "expired";

    /// <summary>Its own worker cancelled it.</summary>
    public const string CancelledByWorker = "cancelled_by_worker";

    /// <summary>Another entry took over its task.</summary>
    public const string Superseded = "superseded";

    /// <summary>Its task was older than <see cref="RecoveryOptions.MaxRecoveryAge"/> when it was found unfinished.</summary>
    public const string TooOld = "too_old";

    /// <summary>Its job is gone.</summary>
    public const string JobDeleted = "job_deleted";

    /// <summary>Its job is paused or has ended.</summary>
    public const string JobNotActive = "job_not_active";

    /// <summary>The task it names does not exist.</summary>
    public const string TaskNotFound = "task_not_found";

    /// <summary>The task it names has finished already.</summary>
    public const string TaskFinished = "task_finished";

    /// <summary>An earlier run of the same job had not finished, and the job's policy is to skip.</summary>
    public const string Overlap = "overlap";

    /// <summary>It was due while no node was up, and the job's policy is to leave such runs out.</summary>
    public const string Missed = "missed";
}
