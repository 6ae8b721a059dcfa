using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Monitoring;

/// <summary>Stores what this process counted, every 10 seconds and when the host stops. While nothing happens, nothing is written.</summary>
internal sealed class StatisticsLoop : StoreLoop
{
    private static readonly TimeSpan CondenseEvery = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LastWrite = TimeSpan.FromSeconds(2);

    private readonly IMonitorStore _store;
    private readonly Metrics _metrics;
    private readonly StoreLoopServices _services;
    private long? _condensedAt;

    public StatisticsLoop(IMonitorStore store, Metrics metrics, StoreLoopServices services)
        : base("The storing of statistics", services with { Role = new AnyProcess() })
    {
        _store = store;
        _metrics = metrics;
        _services = services;
    }

    /// <inheritdoc/>
    protected override TimeSpan Interval => TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        if (!_services.Gate.IsOpen)
        {
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LastWrite);
        try
        {
            await StoreOnceAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TaskRecoveryException or OperationCanceledException)
        {
            // The last counts of this process are missing in the statistics. A stop must not fail because of that.
        }
    }

    /// <summary>Stores the counts since the last call. Tests call this; the timer is not part of the behaviour.</summary>
    internal async Task StoreOnceAsync(CancellationToken cancellationToken)
    {
        if (!_store.Features.HasFlag(MonitorFeatures.Statistics) || _metrics.Statistics.Take() is not { Count: > 0 } counts)
        {
            return;
        }

        try
        {
            await _store.AddStatisticsAsync(counts, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // It is not known whether they are stored. Counting some twice is rarer than losing all during an outage.
            _metrics.Statistics.PutBack(counts);
            throw;
        }
    }

    /// <inheritdoc/>
    protected override async Task<bool> OnceAsync(CancellationToken cancellationToken)
    {
        await StoreOnceAsync(cancellationToken).ConfigureAwait(false);
        if (!_services.Role.Works || (_condensedAt is { } at && _services.Time.GetElapsedTime(at) < CondenseEvery))
        {
            return false;
        }

        if (!await _store.CondenseAsync(cancellationToken).ConfigureAwait(false))
        {
            _condensedAt = _services.Time.GetTimestamp();
        }

        return false;
    }

    // A process that only enqueues counts too.
    private sealed class AnyProcess : INodeRole
    {
        public bool Works => true;
    }
}
