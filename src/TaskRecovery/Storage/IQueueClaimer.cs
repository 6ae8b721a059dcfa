using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Claims entries of one queue for one node. It remembers its position between claims.</summary>
[Experimental("TASKRECOVERY001")]
public interface IQueueClaimer
{
    /// <summary>Claims due entries in order, in one round trip, up to <see cref="ClaimLimits.Bytes"/>. A row that can't be read is claimed
    /// too, with the problem in <see cref="ClaimedEntry.Problem"/>.</summary>
    /// <param name="limit">The maximum number of entries.</param>
    /// <param name="suspects">How many of the entries may be suspects: entries that more than one node crash has interrupted.</param>
    /// <param name="cancellationToken">Cancels the wait for the answer. The claim may still have been made; reconciliation then releases
    /// it.</param>
    ValueTask<ClaimBatch> ClaimAsync(int limit, SuspectAllowance suspects, CancellationToken cancellationToken);

    /// <summary>Stores entries of this queue atomically, and claims them in the same transaction if a claim would take them at once. That
    /// is the case if the node is not dead, the queue is not paused, and, as far as this claimer has read the queue, no due entry of its
    /// kinds precedes them; suspects do not count as preceding. Otherwise the entries wait like any others, the batch is empty, and
    /// listeners in other processes are notified.</summary>
    /// <param name="entries">The entries, all of kinds that the claimer knows, without a unique key or a due time.</param>
    /// <param name="cancellationToken">Cancels the wait for the answer. The entries may still have been stored and claimed;
    /// reconciliation then releases the claim.</param>
    /// <returns><see langword="null"/> if the store does not support this, or can't do it now; nothing was stored.</returns>
    ValueTask<ClaimedEnqueue?> EnqueueAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken) => default;

    /// <summary>Returns whether an entry at its last chance (<see cref="CrashLevels.LastChance"/>) is due that a claim would take if it was
    /// allowed to. While suspects run for long, the engine asks about once a second, because it claims no more of them if such an entry
    /// waits for its turn.</summary>
    /// <param name="maxCrashes">As <see cref="SuspectAllowance.MaxCrashes"/>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The default implementation reads nothing and returns <see langword="true"/>.</returns>
    ValueTask<bool> HasLastChanceAsync(int maxCrashes, CancellationToken cancellationToken) => ValueTask.FromResult(true);

    /// <summary>Notifies the claimer that entries may have been added before its position, so that the next claim reads from the front of
    /// the queue. If such a read recently took long, the store may delay it to a later claim.</summary>
    void Rewind();
}
