using System.Data.Common;

namespace TaskRecovery;

/// <summary>Convenience overloads for <see cref="IJobQueue"/>.</summary>
public static class JobQueueExtensions
{
    /// <summary>Stores one entry with the default options. Any node may run it.</summary>
    /// <inheritdoc cref="IJobQueue.EnqueueAsync{TArgs}(TArgs, EnqueueOptions?, CancellationToken)"/>
    public static ValueTask<EnqueueResult> EnqueueAsync<TArgs>(this IJobQueue queue, TArgs args, CancellationToken cancellationToken)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(queue);
        return queue.EnqueueAsync(args, options: null, cancellationToken);
    }

    /// <summary>Stores one entry in the caller's transaction, with the default options. It becomes visible to workers when the transaction
    /// commits, and is discarded if it rolls back.</summary>
    /// <inheritdoc cref="IJobQueue.EnqueueAsync{TArgs}(TArgs, DbTransaction, EnqueueOptions?, CancellationToken)"/>
    public static ValueTask<EnqueueResult> EnqueueAsync<TArgs>(
        this IJobQueue queue, TArgs args, DbTransaction transaction, CancellationToken cancellationToken)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(queue);
        return queue.EnqueueAsync(args, transaction, options: null, cancellationToken);
    }

    /// <summary>Stores many entries of any kinds atomically, in one new transaction.</summary>
    /// <inheritdoc cref="IJobQueue.EnqueueManyAsync"/>
    public static ValueTask<IReadOnlyList<EnqueueResult>> EnqueueManyAsync(
        this IJobQueue queue, IEnumerable<EnqueueRequest> requests, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return queue.EnqueueManyAsync(requests, transaction: null, cancellationToken);
    }
}
