using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Operations;

/// <summary>The depth and age of the queues for the health check and the gauges. One measurement covers all queues: it counts up to 100,000
/// rows, so it is cached.</summary>
internal sealed class QueueDepths(IStoreSignals store, TimeProvider time)
{
    private readonly CachedRead<IReadOnlyList<QueueDepth>> _depths = new(
        async () => await store.MeasureAsync(CancellationToken.None).ConfigureAwait(false), time);

    /// <summary>The cached measurement, or a new one if that is too old.</summary>
    /// <param name="cancellationToken">Cancels the caller's wait, not the measurement.</param>
    public Task<IReadOnlyList<QueueDepth>> ReadAsync(CancellationToken cancellationToken) => _depths.GetAsync(cancellationToken);
}

/// <summary>The settings of one registered health check.</summary>
/// <param name="OldestDueLimit">How long the oldest due entry of a queue may wait before the check reports the queue.</param>
/// <param name="IncludeDetails">Whether the result contains names of queues, kinds and nodes, entry ids, and exceptions of the
/// store.</param>
internal sealed record HealthCheckSettings(TimeSpan OldestDueLimit, bool IncludeDetails);
