namespace TaskRecovery.Queue;

/// <summary>Waits that a caller may give up while the work goes on.</summary>
internal static class AbandonedWaits
{
    /// <summary>Waits for a result, or until the caller gives up. What fails after that is nobody's: it must not surface as an unobserved exception.</summary>
    internal static Task<T> WaitOrAbandonAsync<T>(this Task<T> work, CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled || work.IsCompleted)
        {
            return work;
        }

        _ = work.ContinueWith(
            static failed => _ = failed.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return work.WaitAsync(cancellationToken);
    }
}
