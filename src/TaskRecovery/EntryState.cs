namespace TaskRecovery;

/// <summary>The state of an entry. An entry is in exactly one state at any time.</summary>
public enum EntryState
{
    /// <summary>Waiting for its due time or for a free worker.</summary>
    Waiting = 0,

    /// <summary>Claimed by a node, which runs it or is about to.</summary>
    Running = 1,

    /// <summary>Ended successfully.</summary>
    Completed = 2,

    /// <summary>Ended without success; <see cref="QueueEntry.Reason"/> says why, for example because no attempts are left.</summary>
    Failed = 3,

    /// <summary>Ended by a cancel request, by its worker, or because it was superseded, skipped or expired.</summary>
    Cancelled = 4,
}
