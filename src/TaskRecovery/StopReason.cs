namespace TaskRecovery;

/// <summary>Why a worker's token was cancelled.</summary>
public enum StopReason
{
    /// <summary>The token is not cancelled. <see cref="WorkContext.Stopping"/> may be.</summary>
    None = 0,

    /// <summary>The host is stopping. If the handler throws, the entry is released without spending an attempt; if it returns, the entry is
    /// completed.</summary>
    Shutdown,

    /// <summary>Cancellation of the entry was requested. If the handler throws, the entry ends as cancelled; if it returns, the entry is
    /// completed.</summary>
    Cancelled,

    /// <summary>The attempt exceeded its time limit. If the handler throws, the attempt has failed; if it returns, the entry is
    /// completed.</summary>
    TimedOut,

    /// <summary>The node may no longer hold the claim on the entry. Nothing more of this attempt is stored.</summary>
    ClaimLost,
}
