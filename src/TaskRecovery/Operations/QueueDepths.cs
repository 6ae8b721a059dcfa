using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Operations;

/// <summary>The depth and age of the queues for the health check and the gauges. One measurement covers all queues and is cached for a few
/// seconds, whatever the number of requests.</summary>
/// <remarks>A health check is often an anonymous endpoint. Without the cache, each request would count up to 100,000 rows.</remarks>
internal sealed class QueueDepths(IStoreSignals store, TimeProvider time)
{
    /// <summary>How long a measurement is cached.</summary>
    internal static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>How long a failure is cached.</summary>
    internal static readonly TimeSpan FreshFailure = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<IReadOnlyList<QueueDepth>>? _latest;
    private long _finishedAt;

    /// <summary>The cached measurement, or a new one if that is too old. Concurrent callers share one measurement.</summary>
    /// <param name="cancellationToken">Cancels the caller's wait, not the measurement.</param>
    public async Task<IReadOnlyList<QueueDepth>> ReadAsync(CancellationToken cancellationToken)
    {
        Task<IReadOnlyList<QueueDepth>> measure;
        lock (_gate)
        {
            measure = _latest = _latest is { } latest && IsFresh(latest) ? latest : MeasureAsync();
        }

        return await measure.WaitOrAbandonAsync(cancellationToken).ConfigureAwait(false);
    }

    private bool IsFresh(Task latest)
        => !latest.IsCompleted
            || time.GetElapsedTime(Volatile.Read(ref _finishedAt)) < (latest.IsCompletedSuccessfully ? Fresh : FreshFailure);

    private async Task<IReadOnlyList<QueueDepth>> MeasureAsync()
    {
        // Yield, so that this does not run under the lock: a store may complete, or fail, synchronously.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            return await store.MeasureAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _finishedAt, time.GetTimestamp());
        }
    }
}

/// <summary>The settings of one registered health check.</summary>
/// <param name="OldestDueLimit">How long the oldest due entry of a queue may wait before the check reports the queue.</param>
/// <param name="IncludeDetails">Whether the result contains names of queues, kinds and nodes, entry ids, and exceptions of the
/// store.</param>
internal sealed record HealthCheckSettings(TimeSpan OldestDueLimit, bool IncludeDetails);
