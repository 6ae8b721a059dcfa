namespace TaskRecovery;

/// <summary>Where an entry is. It is in exactly one of these at any time.</summary>
public enum EntryState
{
    /// <summary>Waiting for its time, or for a free worker.</summary>
    Waiting = 0,

    /// <summary>Claimed by a node.</summary>
    Running = 1,

    /// <summary>Ended well.</summary>
    Completed = 2,

    /// <summary>Ended without success: out of attempts, failed for good, unreadable arguments, or a crash loop.</summary>
    Failed = 3,

    /// <summary>Ended by a cancel request, or by its own worker.</summary>
    Cancelled = 4,
}
