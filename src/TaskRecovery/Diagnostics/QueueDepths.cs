using TaskRecovery.Storage;

namespace TaskRecovery.Diagnostics;

/// <summary>Depth and age of the queues for the health check and the gauges: measured once for all of them, at most every few seconds, whatever the number of requests.</summary>
/// <remarks>A health check is often an anonymous endpoint. Without the cache, each request would count up to 100,000 rows.</remarks>
internal sealed class QueueDepths(IQueueStore store, TimeProvider time)
{
    /// <summary>How long an answer is used again.</summary>
    internal static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>How long a failure is used again.</summary>
    internal static readonly TimeSpan FreshFailure = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<IReadOnlyList<QueueDepth>>? _latest;
    private long _finishedAt;

    /// <summary>The latest measure, or a new one if that is too old. Callers at the same time share one.</summary>
    /// <param name="cancellationToken">Ends the caller's wait, not the measure.</param>
    public async Task<IReadOnlyList<QueueDepth>> ReadAsync(CancellationToken cancellationToken)
    {
        Task<IReadOnlyList<QueueDepth>> measure;
        lock (_gate)
        {
            measure = _latest = _latest is { } latest && IsFresh(latest) ? latest : MeasureAsync();
        }

        return await measure.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private bool IsFresh(Task latest)
        => !latest.IsCompleted || time.GetElapsedTime(Volatile.Read(ref _finishedAt)) < (latest.IsCompletedSuccessfully ? Fresh : FreshFailure);

    private async Task<IReadOnlyList<QueueDepth>> MeasureAsync()
    {
        // Not under the lock: a store may answer, or fail, on this thread.
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

/// <summary>How one health check was added.</summary>
/// <param name="OldestWaitingLimit">How long the first due entry of a queue may wait.</param>
/// <param name="IncludeDetails">Whether the answer names queues, kinds, hosts, entries and what a database said.</param>
internal sealed record HealthCheckSettings(TimeSpan OldestWaitingLimit, bool IncludeDetails);
