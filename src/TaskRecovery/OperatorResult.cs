namespace TaskRecovery;

/// <summary>The result of an operator action such as <see cref="IJobQueue.RetryAsync"/>.</summary>
public enum OperatorResult
{
    /// <summary>The action was carried out.</summary>
    Done = 0,

    /// <summary>The entry does not exist, or retention has removed it.</summary>
    NotFound = 1,

    /// <summary>The entry has not ended: it is waiting or running.</summary>
    NotEnded = 2,

    /// <summary>The entry completed successfully and is not run again.</summary>
    Completed = 3,

    /// <summary>Another entry that has not ended holds the same unique key.</summary>
    KeyHeld = 4,

    /// <summary>The entry's data were erased, so it can't run again.</summary>
    Erased = 5,

    /// <summary>The entry has already ended, so it can't be cancelled, or the job has, so it can't be paused.</summary>
    AlreadyEnded = 6,

    /// <summary>The entry has changed in the meantime: it no longer matches the query of the operation, or it has run or changed since the
    /// operation that is to be undone.</summary>
    Changed = 7,

    /// <summary>The queue, kind or job is not paused, so there is nothing to resume.</summary>
    NotPaused = 8,
}
