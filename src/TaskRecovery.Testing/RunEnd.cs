namespace TaskRecovery.Testing;

/// <summary>How one run of a handler ended.</summary>
public enum RunEnd
{
    /// <summary>The handler succeeded.</summary>
    Completed = 0,

    /// <summary>The entry failed, and is not run again.</summary>
    Failed = 1,

    /// <summary>The entry was cancelled, by a request or by the handler.</summary>
    Cancelled = 2,

    /// <summary>The attempt failed, and the entry runs again later.</summary>
    Retried = 3,

    /// <summary>The handler asked to run later, without spending an attempt.</summary>
    Snoozed = 4,

    /// <summary>The entry was released without spending an attempt, because the host is stopping or the handler threw an error of the
    /// store.</summary>
    Released = 5,

    /// <summary>The store refused the run's writes, because the claim no longer belongs to this node.</summary>
    ClaimLost = 6,
}
