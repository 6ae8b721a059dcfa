namespace TaskRecovery;

/// <summary>How it was established that a node had died.</summary>
public enum DeathProof
{
    /// <summary>It is not known.</summary>
    Unknown = 0,

    /// <summary>The node sent no heartbeat for a whole lease.</summary>
    LeaseExpired = 1,

    /// <summary>The node's lock was seen held and then free, and the node sent no heartbeat during the grace period; or, in a store whose
    /// locks prove a death (SQLite), its lock was free.</summary>
    LockFree = 2,

    /// <summary>A process with the same name started, and the old process no longer exists.</summary>
    ProcessGone = 3,

    /// <summary>The node left by itself.</summary>
    Left = 4,
}
