using System.Diagnostics.Metrics;
using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Claims;

/// <summary>The runs of this process, for the gauge of work at risk and the vitals of the node.</summary>
internal sealed class RunningWork : INodeVitals
{
    // Describing the process is half of the cost of a heartbeat, and while nothing runs, nothing is lost with the process.
    private const int HeartbeatsPerIdleDescription = 10;

    private readonly TimeProvider _time;
    private Func<IEnumerable<WorkRun>> _runs = static () => [];
    private TimeSpan _processorTime;
    private long _measuredAt;
    private int _idleHeartbeats;

    public RunningWork(Metrics metrics, TimeProvider time)
    {
        _time = time;
        metrics.Meter.CreateObservableGauge(
            TaskRecoveryDiagnostics.WorkAtRisk, () => Observe(static ages => ages.Sum()),
            "s", "Time since the last stored step or checkpoint of all runs of this process together.");
        metrics.Meter.CreateObservableGauge(
            TaskRecoveryDiagnostics.WorkAtRiskMax, () => Observe(static ages => ages.Max()),
            "s", "The longest time since the last stored step or checkpoint of a run of this process.");
    }

    /// <summary>The runs.</summary>
    public IEnumerable<WorkRun> Runs => _runs();

    /// <summary>Sets where the runs are found.</summary>
    public void Watch(Func<IEnumerable<WorkRun>> runs) => _runs = runs;

    /// <inheritdoc/>
    public string? Describe()
    {
        WorkRun[] runs = [.. _runs()];
        var isRunning = runs.Length > 0;
        var isDue = isRunning || _idleHeartbeats % HeartbeatsPerIdleDescription == 0;
        _idleHeartbeats = isRunning ? 0 : _idleHeartbeats + 1;
        if (!isDue)
        {
            return null;
        }

        var memory = GC.GetGCMemoryInfo();
        var vitals = new NodeVitals
        {
            WorkingSetBytes = Environment.WorkingSet,
            MemoryLimitBytes = memory.TotalAvailableMemoryBytes,
            GcPausePercent = memory.PauseTimePercentage,
            ThreadPoolQueue = ThreadPool.PendingWorkItemCount,
            CpuPercent = MeasureProcessor(),
            Running = runs.Length,
        };
        return StoredVitals.Write(
            vitals, runs.Where(static run => run.CurrentStep is not null).Select(static run => (run.Entry.Id, run.CurrentStep!)));
    }

    private double MeasureProcessor()
    {
        var (used, now) = (Environment.CpuUsage.TotalTime, _time.GetTimestamp());
        var elapsed = _measuredAt == 0 ? TimeSpan.Zero : _time.GetElapsedTime(_measuredAt, now);
        var share = elapsed <= TimeSpan.Zero ? 0 : (used - _processorTime) / elapsed / Environment.ProcessorCount * 100;
        (_processorTime, _measuredAt) = (used, now);
        return Math.Clamp(share, 0, 100);
    }

    private IEnumerable<Measurement<double>> Observe(Func<IEnumerable<double>, double> value)
        => _runs().GroupBy(static run => run.Entry.Kind, StringComparer.Ordinal)
            .Select(kind => new Measurement<double>(
                value(kind.Select(run => run.SinceProgress.TotalSeconds)),
                new("messaging.system", "taskrecovery"),
                new KeyValuePair<string, object?>("taskrecovery.kind", kind.Key)));
}
