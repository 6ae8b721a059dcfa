namespace TaskRecovery.Hosting;

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

        work.ObserveFailure();
        return work.WaitAsync(cancellationToken);
    }

    /// <summary>Waits until a task has ended, in whatever way, but no longer than the limit. A stop waits like this for the store, which
    /// may not react to a cancellation, for example while its disk hangs.</summary>
    /// <param name="work">The task.</param>
    /// <param name="limit">How long to wait, by the machine's clock: the application's may stand still.</param>
    /// <param name="cancellationToken">Ends the wait, not the task.</param>
    internal static async Task WaitOrLeaveAsync(this Task work, TimeSpan limit, CancellationToken cancellationToken = default)
    {
        work.ObserveFailure();
        await work.WaitAsync(limit, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Observes the exception of a task for which nobody waits any longer, if it fails.</summary>
    internal static void ObserveFailure(this Task work)
        => _ = work.ContinueWith(
            static failed => _ = failed.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
}
