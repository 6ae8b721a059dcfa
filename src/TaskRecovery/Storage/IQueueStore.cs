using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What the queue needs of a store: entries, claims, outcomes, recovery. Every write is atomic; every rule of docs/concepts.md holds after each of them.</summary>
/// <remarks>A store throws <see cref="StoreUnavailableException"/> when trying again may help and <see cref="StoreConfigurationException"/> when a person must act.
/// The conformance suite says what each method promises.</remarks>
[Experimental("TASKRECOVERY001")]
public interface IQueueStore
{
    /// <summary>What the engine needs to know of this store.</summary>
    StoreTraits Traits { get; }

    /// <summary>Checks that the store is there and its tables fit this version of the library; applies migrations first if the options say so.</summary>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Opens the dedicated session that a node's life hangs on. Blocking: called and used on the node's own thread.</summary>
    INodeSession OpenNodeSession();

    /// <summary>Stores entries, all or none, and tells listeners of their queues: those of other processes after the commit (the engine wakes its own claimers); everybody's, after the commit too, where the transaction is the caller's.</summary>
    /// <returns>A result for each entry, in their order; ids ascend in that order. A unique key used twice in one call stores the first.</returns>
    /// <exception cref="ArgumentException">The transaction is not one of this store's database; nothing was stored.</exception>
    ValueTask<EnqueueResult[]> EnqueueAsync(IReadOnlyList<NewEntry> entries, DbTransaction? transaction, CancellationToken cancellationToken);

    /// <summary>Creates what claims entries of one queue for one node. Called once per queue and life of a node; used by one caller at a time.</summary>
    IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds);

    /// <summary>What a node asks about once a second, in one round trip whatever the number of its queues.</summary>
    ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken);

    /// <summary>Stores how runs ended. Safe to repeat after a lost answer: what this very fence stored before counts as accepted, and stays as it was.</summary>
    /// <remarks>What would go back to the queue (retried, snoozed, released) ends as cancelled, with reason <see cref="EndReasons.CancelRequested"/>, when a cancel request is stored.
    /// <see cref="OutcomeKind.Superseded"/> is shown as <see cref="EntryState.Cancelled"/>.</remarks>
    /// <returns>The outcomes that were refused because the claim is no longer the node's; empty if all were accepted.</returns>
    /// <exception cref="ContentRefusedException">The store can't hold a text of one of them. Any other exception means that the call may be repeated.</exception>
    ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(Guid nodeId, IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken);

    /// <summary>Ends a run as completed inside the caller's transaction; with a lost claim the transaction is made unable to commit.</summary>
    /// <exception cref="ClaimLostException">The claim is no longer the node's.</exception>
    ValueTask FinishInTransactionAsync(Guid nodeId, RunOutcome outcome, DbTransaction transaction, CancellationToken cancellationToken);

    /// <summary>Those of the outcomes for which <see cref="FinishAsync"/> would wait, because a transaction that <see cref="FinishInTransactionAsync"/> was given is still open.</summary>
    /// <returns>None, unless the store says otherwise.</returns>
    ValueTask<IReadOnlyList<RunOutcome>> FindBlockedAsync(IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken)
        => ValueTask.FromResult<IReadOnlyList<RunOutcome>>([]);

    /// <summary>Removes those of the claims in which every entry has an outcome; decided by the store, not by the caller's word.</summary>
    ValueTask RemoveSettledClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken);

    /// <summary>The claims that the store holds for a node, oldest first.</summary>
    ValueTask<IReadOnlyList<long>> ListClaimsAsync(Guid nodeId, CancellationToken cancellationToken);

    /// <summary>Gives back every entry without an outcome of claims whose answers were lost, without crash or attempt, and removes the claims. Claims of other nodes are left alone; an entry with a cancel request ends.</summary>
    /// <returns>How many entries wait again.</returns>
    ValueTask<int> ReleaseClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, int maxCrashes, CancellationToken cancellationToken);

    /// <summary>Takes the claims of every dead node: entries without an outcome wait again, first in line, or end as <c>crash_loop</c>. Two sweeps at once do the work of one.</summary>
    ValueTask<RecoveryReport> SweepAsync(int maxCrashes, CancellationToken cancellationToken);

    /// <summary>Reads what an entry, or its task, had finished before.</summary>
    ValueTask<StoredProgress> LoadProgressAsync(ProgressKey key, CancellationToken cancellationToken);

    /// <summary>Stores a finished step. Stored again, it is accepted and its first result stays.</summary>
    /// <returns><see langword="false"/> if the claim is no longer the node's: nothing was stored.</returns>
    ValueTask<bool> SaveStepAsync(Guid nodeId, ProgressKey key, long fence, string name, ReadOnlyMemory<byte> result, CancellationToken cancellationToken);

    /// <summary>Stores a checkpoint, in place of the one before.</summary>
    /// <returns><see langword="false"/> if the claim is no longer the node's: nothing was stored.</returns>
    ValueTask<bool> SaveCheckpointAsync(Guid nodeId, ProgressKey key, long fence, ReadOnlyMemory<byte> checkpoint, CancellationToken cancellationToken);

    /// <summary>Removes the steps and the checkpoint of an entry, or its task. Safe to repeat.</summary>
    /// <returns><see langword="false"/> if the claim is no longer the node's: nothing was removed.</returns>
    ValueTask<bool> ResetProgressAsync(Guid nodeId, ProgressKey key, long fence, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.FindAsync"/>
    ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.ListAsync"/>
    ValueTask<EntryPage> ListAsync(EntryFilter filter, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.CountAsync"/>
    ValueTask<QueueCounts> CountAsync(string? queue, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.CancelAsync"/>
    /// <remarks>A request means nothing any more once its entry has ended: an entry that an operator retries starts without it. The task of a waiting entry ends with it.</remarks>
    ValueTask<bool> CancelAsync(long entryId, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.RetryAsync"/>
    /// <remarks>Attempts and crashes count from zero again. A task that ended with this entry is created again and runs under it.</remarks>
    ValueTask<OperatorResult> RetryAsync(long entryId, RetryFrom from, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.EraseAsync"/>
    /// <remarks>An entry that runs ends under its own fence, as a sweep ends one: its node's outcome, steps and checkpoint are refused from then on, and polls report it as a cancel request
    /// as long as the claim lists it.</remarks>
    ValueTask<int> EraseAsync(EraseTarget target, CancellationToken cancellationToken);

    /// <summary>Pauses or resumes a queue for every node.</summary>
    ValueTask SetPausedAsync(string queue, bool paused, CancellationToken cancellationToken);

    /// <summary>Removes a bounded part of what is no longer kept.</summary>
    /// <returns><see langword="true"/> if more is left to remove now.</returns>
    ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken);

    /// <summary>Waits for hints that there is something to do, until cancelled or the connection is lost. Hints may be missed; polling catches up. The first hint is <see cref="StoreHintKind.Connected"/>.</summary>
    Task ListenAsync(Action<StoreHint> onHint, CancellationToken cancellationToken);

    /// <summary>Depth and age of each queue, for metrics and the health check.</summary>
    ValueTask<IReadOnlyList<QueueDepth>> MeasureAsync(CancellationToken cancellationToken);

    /// <summary>Checks the invariant: every entry is waiting, running or ended, exactly one of them.</summary>
    /// <returns>A line for each violation; empty when the invariant holds.</returns>
    ValueTask<IReadOnlyList<string>> CheckInvariantsAsync(CancellationToken cancellationToken);
}

/// <summary>Claims entries of one queue for one node. Remembers where it stopped.</summary>
[Experimental("TASKRECOVERY001")]
public interface IQueueClaimer
{
    /// <summary>Claims due entries in order, in one round trip, up to <see cref="ClaimLimits.Bytes"/>. A row that can't be read is claimed too, with the reason as <see cref="ClaimedEntry.Problem"/>.</summary>
    /// <param name="limit">How many at most.</param>
    /// <param name="suspects">How many of them may be suspects: entries whose node died under them more than once.</param>
    /// <param name="cancellationToken">Cancels the wait for the answer; the claim may have been made all the same, and reconciling finds it.</param>
    ValueTask<ClaimBatch> ClaimAsync(int limit, SuspectAllowance suspects, CancellationToken cancellationToken);

    /// <summary>Stores entries of this queue, all or none, and claims them in the same transaction where a claim would take them at once: the node is not dead, the queue not paused, and nothing
    /// that is due and of the claimer's kinds is before them in line, as far as its claims have looked; suspects wait for their turn, not for a place in line. Otherwise they wait like any others,
    /// the batch is empty, and listeners of other processes are told.</summary>
    /// <param name="entries">Of kinds that the claimer knows, none with a unique key or a time.</param>
    /// <param name="cancellationToken">Cancels the wait for the answer; they may have been stored, and claimed, all the same: reconciling finds the claim.</param>
    /// <returns><see langword="null"/> if the store does not do this, or not now: nothing was stored.</returns>
    ValueTask<ClaimedEnqueue?> EnqueueAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken) => default;

    /// <summary>Says that entries earlier in line may have come, so that a claim looks from the front soon: the next one, unless the store spaces such looks out because the last one took long.</summary>
    void Rewind();
}
