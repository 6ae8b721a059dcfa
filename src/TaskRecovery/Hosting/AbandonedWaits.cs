namespace TaskRecovery.Queue;

/// <summary>Lets a caller stop waiting for a task while the task continues.</summary>
internal static class AbandonedWaits
{
    /// <summary>Waits for the result, or until the token is cancelled. If the task fails after that, its exception is observed, so that it
    /// is not reported as unobserved.</summary>
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
