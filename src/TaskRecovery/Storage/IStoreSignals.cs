using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The part of a queue store for what it reports: hints of new work, and the depth of its queues.</summary>
[Experimental("TASKRECOVERY001")]
public interface IStoreSignals : IStorePart
{
    /// <summary>Listens for hints of new work until it is cancelled or the connection is lost. Hints may be missed; polling makes up for
    /// them. The first hint is <see cref="StoreHintKind.Connected"/>.</summary>
    Task ListenAsync(Action<StoreHint> onHint, CancellationToken cancellationToken);

    /// <summary>Measures the depth and age of the queues, for metrics and the health check. A store may skip the queues with the fewest due
    /// entries (<see cref="QueueDepth.QueuesSkipped"/>).</summary>
    ValueTask<IReadOnlyList<QueueDepth>> MeasureAsync(CancellationToken cancellationToken);
}
