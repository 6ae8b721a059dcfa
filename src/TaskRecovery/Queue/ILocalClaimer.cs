using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>The claimer of one queue in this process.</summary>
internal interface ILocalClaimer
{
    /// <summary>Notifies the claimer that there may be new entries.</summary>
    /// <param name="fromFront">Whether the new entries may precede the position of the last claim.</param>
    void Wake(bool fromFront);

    /// <summary>Stores and claims entries in one transaction, if they would start here at once. The claimed entries start. If some of them
    /// were not claimed, the caller wakes this claimer.</summary>
    /// <param name="entries">The entries of this queue.</param>
    /// <param name="whileQueued">Withdraws the write if it has not begun.</param>
    /// <returns><see langword="null"/> if they would not start at once; nothing was stored.</returns>
    ValueTask<ClaimedEnqueue?> TryStoreClaimedAsync(NewEntry[] entries, CancellationToken whileQueued);
}
