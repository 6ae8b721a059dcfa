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
}
