using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Monitoring;

/// <summary>Stores what this process counted, every 10 seconds and when the host stops. While nothing happens, nothing is
/// written.</summary>
internal sealed class StatisticsLoop : StoreLoop, ILastRound
{
    private static readonly TimeSpan CondenseEvery = TimeSpan.FromMinutes(10);
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
    protected override TimeSpan FirstRound => Interval;

    /// <summary>Stores the counts since the last call. Tests call this; the timer is not part of the behavior.</summary>
    internal Task StoreOnceAsync(CancellationToken cancellationToken) => InTurnAsync(StoreAsync, cancellationToken);

    /// <inheritdoc/>
    protected override Task StopOnceAsync(CancellationToken cancellationToken)
        => _services.Gate.IsOpen ? StoreOnceAsync(cancellationToken) : Task.CompletedTask;

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

    private async Task StoreAsync(CancellationToken cancellationToken)
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

    // A process that only enqueues counts too.
    private sealed class AnyProcess : INodeRole
    {
        public bool Works => true;
    }
}
