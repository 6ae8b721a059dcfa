using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The part of a queue store for an entry's way from the enqueue to its outcome, with the steps and checkpoints of its
/// runs.</summary>
[Experimental("TASKRECOVERY001")]
public interface IEntryStore : IStorePart
{
    /// <summary>Stores entries atomically and, after the commit, notifies listeners of their queues. Without a caller's transaction, only
    /// listeners in other processes are notified, because the engine wakes its own claimers. With one, all listeners are
    /// notified.</summary>
    /// <returns>One result per entry, in the same order, with ascending ids. If several entries of a call have the same unique key, only
    /// the first is stored.</returns>
    /// <exception cref="ArgumentException">The transaction does not belong to this store's database. Nothing was stored.</exception>
    ValueTask<EnqueueResult[]> EnqueueAsync(
        IReadOnlyList<NewEntry> entries, DbTransaction? transaction, CancellationToken cancellationToken);

    /// <summary>Stores entries of several callers, all of them with unique keys, as <see cref="EnqueueAsync"/> does without a caller's
    /// transaction. But for a transaction that has taken or freed one of the keys, and is still open, it waits only for
    /// <paramref name="keyWait"/>, so that one key does not keep the entries with other keys waiting.</summary>
    /// <param name="entries">The entries: at least one.</param>
    /// <param name="keyWait">How long to wait for one key. If several keys are not free, the store may wait so long for each.</param>
    /// <param name="isBlocked">Whether the key of the only entry was not free a moment ago, so that the call will probably wait: it must
    /// not occupy a connection that other calls wait for.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>As <see cref="EnqueueAsync"/>; <see langword="null"/> if a key was not free in time: nothing was stored, and the engine
    /// divides the entries. The default implementation calls <see cref="EnqueueAsync"/>, for a store in which no open transaction keeps a
    /// key longer than it keeps every other write waiting.</returns>
    ValueTask<EnqueueResult[]?> TryEnqueueAsync(
        IReadOnlyList<NewEntry> entries, TimeSpan keyWait, bool isBlocked, CancellationToken cancellationToken)
        => EnqueueAsync(entries, transaction: null, cancellationToken)!;

    /// <summary>Follows a caller's transaction in which an entry was stored, so that the store can be asked whether it was committed if
    /// the answer to its commit is lost. Called before the commit.</summary>
    /// <returns>A function that returns whether the transaction was committed, or <see langword="null"/> while it may still be. The default
    /// returns none: the commit has ended when the call of it has, so that the entry exists exactly if it was committed.</returns>
    Func<CancellationToken, ValueTask<bool?>>? FollowCommit(DbTransaction transaction, long entryId) => null;

    /// <summary>Creates the claimer of one queue for one node. Called once per queue and node. The claimer is used by one caller at a
    /// time.</summary>
    IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds);

    /// <summary>Answers a node's periodic poll, about once a second, in one round trip for any number of queues.</summary>
    ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken);

    /// <summary>Stores the outcomes of runs. Safe to repeat after a lost answer: an outcome already stored under the same fence counts as
    /// accepted and stays unchanged.</summary>
    /// <remarks>If a cancel request is stored, an entry that would be put back (retried, snoozed, released) ends as cancelled with
    /// the reason <see cref="EndReasons.CancelRequested"/>. <see cref="OutcomeKind.Superseded"/> is shown as
    /// <see cref="EntryState.Cancelled"/>.</remarks>
    /// <returns>The outcomes that were rejected because the node no longer holds the claim; empty if all were accepted.</returns>
    /// <exception cref="ContentRefusedException">The store can't represent a text in one of the outcomes. After any other exception the
    /// call may be repeated.</exception>
    /// <exception cref="StoreUnavailableException">The outcomes may or may not be stored. If it is a lock timeout
    /// (<see cref="StoreUnavailableException.IsLockTimeout"/>), the engine asks <see cref="FindBlockedAsync"/> which of them have to wait,
    /// and stores the others.</exception>
    ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(Guid nodeId, IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken);

    /// <summary>Completes a run in the caller's transaction. If the claim is lost, the transaction is put into a state in which it can't
    /// commit.</summary>
    /// <exception cref="ClaimLostException">The node no longer holds the claim.</exception>
    ValueTask FinishInTransactionAsync(Guid nodeId, RunOutcome outcome, DbTransaction transaction, CancellationToken cancellationToken);

    /// <summary>Finds the outcomes for which <see cref="FinishAsync"/> would block: a transaction passed to
    /// <see cref="FinishInTransactionAsync"/> is still open, or another transaction has locked the task of the run, or the start of the run
    /// was not answered (<see cref="RunOutcome.IsStartAnswered"/>) and another transaction has locked its job.</summary>
    /// <returns>The blocked outcomes. The default implementation returns none.</returns>
    ValueTask<IReadOnlyList<RunOutcome>> FindBlockedAsync(IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken)
        => ValueTask.FromResult<IReadOnlyList<RunOutcome>>([]);

    /// <summary>Removes the claims in which every entry has an outcome. The store verifies this itself and skips the other
    /// claims.</summary>
    ValueTask RemoveSettledClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken);

    /// <summary>Reads the finished steps and the checkpoint of an entry or its task.</summary>
    ValueTask<StoredProgress> LoadProgressAsync(ProgressKey key, CancellationToken cancellationToken);

    /// <summary>Stores finished steps and checkpoints of any number of runs in one transaction. Each write is stored if the node still
    /// holds its claim, whatever happens to the others. A step that is already stored keeps its first result, and its write succeeds. A
    /// checkpoint replaces the previous one; if the list has several for one owner, the last one counts.</summary>
    /// <remarks>If a write can reach the store late, after its call was given up and repeated, the store orders the writes of a run by
    /// <see cref="ProgressWrite.Ordinal"/>: it accepts a late one and stores nothing if a later checkpoint or reset is stored.</remarks>
    /// <returns>For each write, whether the node holds its claim. If not, the write was not stored.</returns>
    /// <exception cref="ContentRefusedException">The store can't represent one of the values. Nothing was stored.</exception>
    ValueTask<bool[]> SaveProgressAsync(Guid nodeId, IReadOnlyList<ProgressWrite> writes, CancellationToken cancellationToken);

    /// <summary>Removes the steps and the checkpoint of an entry or its task. Safe to repeat.</summary>
    /// <param name="nodeId">The node that holds the claim.</param>
    /// <param name="key">The owner of the steps and the checkpoint.</param>
    /// <param name="fence">The fence of the run.</param>
    /// <param name="ordinal">The place among the writes and resets of the run, as <see cref="ProgressWrite.Ordinal"/>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns><see langword="false"/> if the node no longer holds the claim; nothing was removed.</returns>
    ValueTask<bool> ResetProgressAsync(Guid nodeId, ProgressKey key, long fence, long ordinal, CancellationToken cancellationToken);
}
