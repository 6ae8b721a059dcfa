using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The storage of the queue: entries, claims, outcomes and recovery. Every write is atomic and preserves every rule of
/// docs/concepts.md.</summary>
/// <remarks>A store throws <see cref="StoreUnavailableException"/> if retrying may help, and <see cref="StoreConfigurationException"/> if
/// an operator must act. The conformance suite tests what each method promises.</remarks>
[Experimental("TASKRECOVERY001")]
public interface IQueueStore
{
    /// <summary>The properties of this store on which the engine depends.</summary>
    StoreTraits Traits { get; }

    /// <summary>Checks that the store is available and its schema fits this library version. Applies migrations first if the options enable
    /// it.</summary>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Opens the dedicated session for a node's heartbeats. Blocks; called and used on the node's own thread.</summary>
    INodeSession OpenNodeSession();

    /// <summary>Stores entries atomically and, after the commit, notifies listeners of their queues. Without a caller's transaction, only
    /// listeners in other processes are notified, because the engine wakes its own claimers. With one, all listeners are
    /// notified.</summary>
    /// <returns>One result per entry, in the same order, with ascending ids. If several entries of a call have the same unique key, only
    /// the first is stored.</returns>
    /// <exception cref="ArgumentException">The transaction does not belong to this store's database. Nothing was stored.</exception>
    ValueTask<EnqueueResult[]> EnqueueAsync(IReadOnlyList<NewEntry> entries, DbTransaction? transaction, CancellationToken cancellationToken);

    /// <summary>Creates the claimer of one queue for one node. Called once per queue and node life. The claimer is used by one caller at a
    /// time.</summary>
    IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds);

    /// <summary>Answers a node's periodic poll, about once a second, in one round trip for any number of queues.</summary>
    ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken);

    /// <summary>Stores the outcomes of runs. Safe to repeat after a lost response: an outcome already stored under the same fence counts as
    /// accepted and stays unchanged.</summary>
    /// <remarks>If a cancel request is stored, an entry that would return to the queue (retried, snoozed, released) ends as cancelled with
    /// the reason <see cref="EndReasons.CancelRequested"/>. <see cref="OutcomeKind.Superseded"/> is shown as
    /// <see cref="EntryState.Cancelled"/>.</remarks>
    /// <returns>The outcomes that were rejected because the node no longer holds the claim; empty if all were accepted.</returns>
    /// <exception cref="ContentRefusedException">The store can't represent a text in one of the outcomes. After any other exception the
    /// call may be repeated.</exception>
    ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(Guid nodeId, IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken);

    /// <summary>Completes a run in the caller's transaction. If the claim is lost, the transaction is put into a state in which it can't
    /// commit.</summary>
    /// <exception cref="ClaimLostException">The node no longer holds the claim.</exception>
    ValueTask FinishInTransactionAsync(Guid nodeId, RunOutcome outcome, DbTransaction transaction, CancellationToken cancellationToken);

    /// <summary>Finds the outcomes for which <see cref="FinishAsync"/> would block, because a transaction passed to
    /// <see cref="FinishInTransactionAsync"/> is still open.</summary>
    /// <returns>The blocked outcomes. The default implementation returns none.</returns>
    ValueTask<IReadOnlyList<RunOutcome>> FindBlockedAsync(IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken)
        => ValueTask.FromResult<IReadOnlyList<RunOutcome>>([]);

    /// <summary>Removes the claims in which every entry has an outcome. The store verifies this itself and skips the other
    /// claims.</summary>
    ValueTask RemoveSettledClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken);

    /// <summary>Lists the fences of the claims stored for a node, oldest first.</summary>
    ValueTask<IReadOnlyList<long>> ListClaimsAsync(Guid nodeId, CancellationToken cancellationToken);

    /// <summary>Releases every entry without an outcome from claims whose responses were lost, without counting a crash or an attempt, and
    /// removes the claims. Claims of other nodes are not changed. An entry with a cancel request ends.</summary>
    /// <returns>The number of entries that wait again.</returns>
    ValueTask<int> ReleaseClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, int maxCrashes, CancellationToken cancellationToken);

    /// <summary>Recovers the claims of every dead node: entries without an outcome wait again at the front of the queue, or end with the
    /// reason <c>crash_loop</c>. Concurrent sweeps are safe and recover each entry once.</summary>
    ValueTask<RecoveryReport> SweepAsync(int maxCrashes, CancellationToken cancellationToken);

    /// <summary>Reads the finished steps and the checkpoint of an entry or its task.</summary>
    ValueTask<StoredProgress> LoadProgressAsync(ProgressKey key, CancellationToken cancellationToken);

    /// <summary>Stores the result of a finished step. If the step is already stored, the call succeeds and keeps the first
    /// result.</summary>
    /// <returns><see langword="false"/> if the node no longer holds the claim; nothing was stored.</returns>
    ValueTask<bool> SaveStepAsync(Guid nodeId, ProgressKey key, long fence, string name, ReadOnlyMemory<byte> result, CancellationToken cancellationToken);

    /// <summary>Stores a checkpoint, replacing the previous one.</summary>
    /// <returns><see langword="false"/> if the node no longer holds the claim; nothing was stored.</returns>
    ValueTask<bool> SaveCheckpointAsync(Guid nodeId, ProgressKey key, long fence, ReadOnlyMemory<byte> checkpoint, CancellationToken cancellationToken);

    /// <summary>Removes the steps and the checkpoint of an entry or its task. Safe to repeat.</summary>
    /// <returns><see langword="false"/> if the node no longer holds the claim; nothing was removed.</returns>
    ValueTask<bool> ResetProgressAsync(Guid nodeId, ProgressKey key, long fence, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.FindAsync"/>
    ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.ListAsync"/>
    ValueTask<EntryPage> ListAsync(EntryFilter filter, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.CountAsync"/>
    ValueTask<QueueCounts> CountAsync(string? queue, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.CancelAsync"/>
    /// <remarks>A cancel request has no effect after its entry has ended: if an operator retries the entry, it starts without the request.
    /// The task of a waiting entry ends together with the entry.</remarks>
    ValueTask<bool> CancelAsync(long entryId, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.RetryAsync"/>
    /// <remarks>Attempts and crashes are reset to zero. A task that ended with this entry returns to the created state and runs under this
    /// entry.</remarks>
    ValueTask<OperatorResult> RetryAsync(long entryId, RetryFrom from, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.EraseAsync"/>
    /// <remarks>A running entry ends under its own fence, as in a sweep: from then on, the store rejects its node's outcome, steps and
    /// checkpoint, and polls report the entry as a cancel request as long as the claim contains it.</remarks>
    ValueTask<int> EraseAsync(EraseTarget target, CancellationToken cancellationToken);

    /// <summary>Pauses or resumes a queue for every node.</summary>
    ValueTask SetPausedAsync(string queue, bool paused, CancellationToken cancellationToken);

    /// <summary>Removes a bounded number of entries that are no longer kept.</summary>
    /// <returns><see langword="true"/> if there is more to remove now.</returns>
    ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken);

    /// <summary>Listens for hints of new work until it is cancelled or the connection is lost. Hints may be missed; polling makes up for
    /// them. The first hint is <see cref="StoreHintKind.Connected"/>.</summary>
    Task ListenAsync(Action<StoreHint> onHint, CancellationToken cancellationToken);

    /// <summary>Measures the depth and age of each queue, for metrics and the health check.</summary>
    ValueTask<IReadOnlyList<QueueDepth>> MeasureAsync(CancellationToken cancellationToken);

    /// <summary>Checks the invariant that every entry is in exactly one place: waiting, running or ended.</summary>
    /// <returns>One line per violation; empty if the invariant holds.</returns>
    ValueTask<IReadOnlyList<string>> CheckInvariantsAsync(CancellationToken cancellationToken);
}

/// <summary>Claims entries of one queue for one node. It remembers its position between claims.</summary>
[Experimental("TASKRECOVERY001")]
public interface IQueueClaimer
{
    /// <summary>Claims due entries in order, in one round trip, up to <see cref="ClaimLimits.Bytes"/>. A row that can't be read is claimed
    /// too, with the problem in <see cref="ClaimedEntry.Problem"/>.</summary>
    /// <param name="limit">The maximum number of entries.</param>
    /// <param name="suspects">How many of the entries may be suspects: entries that more than one node crash has interrupted.</param>
    /// <param name="cancellationToken">Cancels the wait for the response. The claim may still have been made; reconciliation then releases
    /// it.</param>
    ValueTask<ClaimBatch> ClaimAsync(int limit, SuspectAllowance suspects, CancellationToken cancellationToken);

    /// <summary>Stores entries of this queue atomically, and claims them in the same transaction if a claim would take them at once. That
    /// is the case if the node is not dead, the queue is not paused, and, as far as this claimer has read the queue, no due entry of its
    /// kinds precedes them; suspects do not count as preceding. Otherwise the entries wait like any others, the batch is empty, and
    /// listeners in other processes are notified.</summary>
    /// <param name="entries">The entries, all of kinds that the claimer knows, without a unique key or a due time.</param>
    /// <param name="cancellationToken">Cancels the wait for the response. The entries may still have been stored and claimed;
    /// reconciliation then releases the claim.</param>
    /// <returns><see langword="null"/> if the store does not support this, or can't do it now; nothing was stored.</returns>
    ValueTask<ClaimedEnqueue?> EnqueueAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken) => default;

    /// <summary>Notifies the claimer that entries may have been added before its position, so that the next claim reads from the front of
    /// the queue. If such a read recently took long, the store may delay it to a later claim.</summary>
    void Rewind();
}
