using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The part of a queue store for what a caller or an operator asks about entries, and does to them.</summary>
[Experimental("TASKRECOVERY001")]
public interface IOperatorStore : IStorePart
{
    /// <inheritdoc cref="IJobQueue.FindAsync"/>
    ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.ListAsync"/>
    ValueTask<EntryPage> ListAsync(EntryFilter filter, CancellationToken cancellationToken);

    /// <inheritdoc cref="IJobQueue.CountAsync"/>
    ValueTask<QueueCounts> CountAsync(string? queue, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueOperator.CancelAsync"/>
    /// <remarks>Stores the event in the same transaction, as every action here does. A cancel request has no effect after its entry has
    /// ended: if an operator retries the entry, it starts without the request. The task of a waiting entry ends together with the
    /// entry.</remarks>
    ValueTask<OperatorResult> CancelAsync(long entryId, AuditInfo audit, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueOperator.RetryAsync"/>
    /// <remarks>Attempts and crashes are reset to zero. A task that ended with this entry returns to the created state and runs under this
    /// entry.</remarks>
    ValueTask<OperatorResult> RetryAsync(long entryId, RetryOptions options, AuditInfo audit, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueOperator.EraseAsync"/>
    /// <remarks>Each erased entry has an event of its own. A running entry ends under its own fence, as in a sweep: from then on, the store
    /// rejects its node's outcome, steps and checkpoint, and polls report the entry as a cancel request as long as the claim contains
    /// it.</remarks>
    ValueTask<int> EraseAsync(EraseTarget target, AuditInfo audit, CancellationToken cancellationToken);

    /// <summary>Pauses or resumes a queue or a kind for every node. A paused kind is not claimed from the node's next poll on.</summary>
    /// <param name="target">The queue or kind; not a job.</param>
    /// <param name="pause">The pause: who, why and until when; <see langword="null"/> to resume. The store sets when it began.</param>
    /// <param name="audit">Who does it.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns><see cref="OperatorResult.Done"/>; <see cref="OperatorResult.NotFound"/> if there is no such queue or kind, and it may not
    /// be added (see <see cref="PauseTarget.MayBeNew"/>); or <see cref="OperatorResult.NotPaused"/> if what is resumed is not paused. To
    /// resume never adds one.</returns>
    ValueTask<OperatorResult> SetPausedAsync(
        PauseTarget target, PauseInfo? pause, AuditInfo audit, CancellationToken cancellationToken);
}
