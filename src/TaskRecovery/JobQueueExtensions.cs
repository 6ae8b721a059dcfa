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
}
