using System.Diagnostics.Metrics;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Operations;

/// <summary>Samples the depth and age of the queues for the gauges, which can't wait for a store. It samples at an interval, and only while
/// the gauges are read.</summary>
internal sealed class QueueDepthSampler : StoreLoop
{
    private static readonly TimeSpan Lately = TimeSpan.FromMinutes(2);

    // The first reading of a gauge sets the signal.
    private static readonly TimeSpan WithoutReaders = TimeSpan.FromMinutes(10);

    private readonly QueueDepths _depths;
    private readonly TimeProvider _time;
    private readonly Signal _read = new();
    private IReadOnlyList<QueueDepth> _latest = [];
    private long? _readAt;

    public QueueDepthSampler(
        QueueDepths depths, NodeService node, IEnumerable<IUnresponsiveHandlers> unresponsive, Metrics metrics, StoreLoopServices services)
        : base("The measuring of queues", services)
    {
        _depths = depths;
        _time = services.Time;
        var meter = metrics.Meter;
        meter.CreateObservableGauge(
            TaskRecoveryDiagnostics.QueueDepth, () => Observe(depth => depth.Due),
            "{entry}", "Entries of a queue that are due, whichever node will run them.");
        meter.CreateObservableGauge(
            TaskRecoveryDiagnostics.QueueAge, () => Observe(depth => depth.OldestAge.TotalSeconds),
            "s", "How long the entry of a queue that has been due longest has waited.");
        meter.CreateObservableGauge(
            TaskRecoveryDiagnostics.NodesAlive, () => OfNode(services.Role, () => node.NodesAlive),
            "{node}", "Nodes that are alive, as this node sees it, itself included.");
        meter.CreateObservableGauge(
            TaskRecoveryDiagnostics.UnresponsiveHandlers,
            () => OfNode(services.Role, () => unresponsive.Sum(handlers => handlers.List().Count)),
            "{handler}", "Handlers of this process that still run 5 s after their token was cancelled.");
    }

    /// <inheritdoc/>
    protected override TimeSpan Interval => HasReaders ? TimeSpan.FromSeconds(10) : WithoutReaders;

    /// <inheritdoc/>
    protected override Signal Wake => _read;

    private bool HasReaders => _readAt is { } read && _time.GetElapsedTime(read) < Lately;

    /// <summary>Takes one sample if the gauges were read recently. Tests call this; the timer is not part of the behavior.</summary>
    internal async Task MeasureOnceAsync(CancellationToken cancellationToken)
    {
        // If the store does not answer, the gauges end. With the old values, a queue would seem as short as before the trouble.
        IReadOnlyList<QueueDepth> latest = [];
        try
        {
            if (HasReaders)
            {
                latest = await _depths.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _latest = latest;
        }
    }

    /// <inheritdoc/>
    protected override async Task<bool> OnceAsync(CancellationToken cancellationToken)
    {
        await MeasureOnceAsync(cancellationToken).ConfigureAwait(false);
        return false;
    }

    // A process that only enqueues is not a node and sees none: its zero would be taken for a system without nodes.
    private static IEnumerable<Measurement<int>> OfNode(INodeRole role, Func<int> value)
        => role.Works ? [new Measurement<int>(value())] : [];

    private IEnumerable<Measurement<T>> Observe<T>(Func<QueueDepth, T> value)
        where T : struct
    {
        var wasIdle = _readAt is null || _latest.Count == 0;
        _readAt = _time.GetTimestamp();
        if (wasIdle)
        {
            _read.Set();
        }

        return _latest.Select(depth => new Measurement<T>(
            value(depth), new("messaging.system", "taskrecovery"),
            new KeyValuePair<string, object?>("messaging.destination.name", depth.Queue)));
    }
}
