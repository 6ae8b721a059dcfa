namespace TaskRecovery.Hosting;

/// <summary>A value that is read from the store, and cached for a few seconds, whatever the number of requests.</summary>
/// <remarks>A health check is often an anonymous endpoint. Without the cache, each request would run statements.</remarks>
internal sealed class CachedRead<T>(Func<Task<T>> read, TimeProvider time)
{
    /// <summary>How long a value is cached.</summary>
    internal static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>How long a failure is cached.</summary>
    internal static readonly TimeSpan FreshFailure = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<T>? _latest;
    private long _finishedAt;

    /// <summary>The cached value, or a new one if that is too old. Concurrent callers share one read.</summary>
    /// <param name="cancellationToken">Cancels the caller's wait, not the read.</param>
    public async Task<T> GetAsync(CancellationToken cancellationToken)
    {
        Task<T> current;
        lock (_gate)
        {
            current = _latest = _latest is { } latest && IsFresh(latest) ? latest : ReadAsync();
        }

        cancellationToken.ThrowIfCancellationRequested();
        return await current.WaitOrAbandonAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes the next call read again.</summary>
    public void Expire()
    {
        lock (_gate)
        {
            _latest = null;
        }
    }

    private bool IsFresh(Task latest)
        => !latest.IsCompleted
            || time.GetElapsedTime(Volatile.Read(ref _finishedAt)) < (latest.IsCompletedSuccessfully ? Fresh : FreshFailure);

    private async Task<T> ReadAsync()
    {
        // Yield, so that this does not run under the lock: a store may complete, or fail, synchronously.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            return await read().ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _finishedAt, time.GetTimestamp());
        }
    }
}
