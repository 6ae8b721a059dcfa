using System.Diagnostics;
using System.Diagnostics.Metrics;
using TaskRecovery.Storage;

namespace TaskRecovery.Diagnostics;

/// <summary>The metrics of one instance of TaskRecovery; nothing is static.</summary>
internal sealed class Metrics : IDisposable
{
    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly Counter<long> _enqueued;
    private readonly Counter<long> _claimed;
    private readonly Counter<long> _finished;
    private readonly Counter<long> _retried;
    private readonly Counter<long> _recovered;
    private readonly Counter<long> _claimLost;
    private readonly Counter<long> _released;
    private readonly Histogram<double> _run;
    private readonly Histogram<double> _wait;
    private readonly TimeProvider _time;
    private long _recoveredAt;

    public Metrics(IMeterFactory? factory = null, InstanceName? instance = null, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _ownsMeter = factory is null;
        var options = new MeterOptions(TaskRecoveryDiagnostics.MeterName)
        {
            Tags = instance is null ? null : [new(TaskRecoveryDiagnostics.InstanceTag, instance.Value)],
        };
        _meter = factory?.Create(options) ?? new Meter(options);
        _enqueued = Count(TaskRecoveryDiagnostics.Enqueued, "Entries stored by callers, without duplicates.");
        _claimed = Count(TaskRecoveryDiagnostics.Claimed, "Entries claimed by this process.");
        _finished = Count(TaskRecoveryDiagnostics.Finished, "Runs whose outcome was stored.");
        _retried = Count(TaskRecoveryDiagnostics.Retried, "Failed runs that will be retried.");
        _recovered = Count(TaskRecoveryDiagnostics.Recovered, "Entries and tasks of dead nodes that this process recovered or closed.");
        _claimLost = Count(TaskRecoveryDiagnostics.ClaimLost, "Runs whose outcome was discarded because the claim was lost.");
        _released = Count(TaskRecoveryDiagnostics.Released, "Entries released because the answer to their claim was lost.");
        _run = Time(TaskRecoveryDiagnostics.RunDuration, "How long a run took.");
        _wait = Time(TaskRecoveryDiagnostics.WaitDuration, "How long an entry had been due when it was claimed.");
        _meter.CreateObservableGauge<double>(
            TaskRecoveryDiagnostics.LastRecovery, LastRecovery,
            "s", "The Unix time at which this process last recovered or closed work of a node that died.");
    }

    /// <summary>The same counts, for the statistics that are stored.</summary>
    public Statistics Statistics { get; } = new();

    /// <summary>The meter, for gauges that other classes create.</summary>
    public Meter Meter => _meter;

    /// <summary>Counts stored entries.</summary>
    public void Enqueued(string queue, string kind, long count = 1)
    {
        Statistics.Enqueued(queue, kind, count);
        if (_enqueued.Enabled)
        {
            _enqueued.Add(count, Tags(queue, kind));
        }
    }

    /// <summary>Counts a claimed entry, and records how long it had been due.</summary>
    public void Claimed(string queue, string kind, TimeSpan waited)
    {
        Statistics.Waited(queue, kind, waited);
        if (_claimed.Enabled)
        {
            _claimed.Add(1, Tags(queue, kind));
        }

        if (_wait.Enabled)
        {
            _wait.Record(waited.TotalSeconds, Tags(queue, kind));
        }
    }

    /// <summary>Counts a run whose outcome was stored, and records its duration.</summary>
    public void Finished(string queue, string kind, OutcomeKind outcome, TimeSpan duration, string? errorType = null)
    {
        Statistics.Finished(queue, kind, outcome, duration);
        if (_finished.Enabled)
        {
            var tags = Tags(queue, kind);
            tags.Add("taskrecovery.outcome", Name(outcome));
            _finished.Add(1, tags);
        }

        if (outcome == OutcomeKind.Retried && _retried.Enabled)
        {
            _retried.Add(1, Tags(queue, kind));
        }

        if (_run.Enabled)
        {
            var tags = Tags(queue, kind);
            tags.Add("messaging.operation.name", "process");
            if (errorType is not null)
            {
                tags.Add("error.type", errorType);
            }

            _run.Record(duration.TotalSeconds, tags);
        }
    }

    /// <summary>Counts a run whose claim was lost.</summary>
    public void ClaimLost(string queue, string kind) => _claimLost.Add(1, Tags(queue, kind));

    /// <summary>Counts the entries and tasks that a sweep or the start-up hook recovered or closed.</summary>
    public void Recovered(RecoveryReport report)
    {
        foreach (var item in report.Items)
        {
            Statistics.Recovered(item);
        }

        if (report.Items.Any(static item => item.NodeDied))
        {
            Volatile.Write(ref _recoveredAt, _time.GetUtcNow().ToUnixTimeMilliseconds());
        }

        if (report.Recovered > 0)
        {
            _recovered.Add(report.Recovered, new KeyValuePair<string, object?>("taskrecovery.action", "recovered"));
        }

        if (report.Closed > 0)
        {
            _recovered.Add(report.Closed, new KeyValuePair<string, object?>("taskrecovery.action", "closed"));
        }
    }

    /// <summary>Counts entries that were released because the answer to their claim was lost.</summary>
    public void Released(int entries) => _released.Add(entries);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownsMeter)
        {
            _meter.Dispose();
        }
    }

    /// <summary>The outcome's name in the tags of metrics and traces.</summary>
    internal static string Name(OutcomeKind outcome) => outcome switch
    {
        OutcomeKind.Completed => "completed",
        OutcomeKind.Failed => "failed",
        OutcomeKind.Cancelled => "cancelled",
        OutcomeKind.Retried => "retried",
        OutcomeKind.Snoozed => "snoozed",
        OutcomeKind.Released => "released",
        OutcomeKind.Lost => "lost",
        OutcomeKind.Superseded => "superseded",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "An unknown outcome."),
    };

    private IEnumerable<Measurement<double>> LastRecovery()
        => Volatile.Read(ref _recoveredAt) is var at and > 0 ? [new Measurement<double>(at / 1000.0)] : [];

    private static TagList Tags(string queue, string kind) => new()
    {
        { "messaging.system", "taskrecovery" },
        { "messaging.destination.name", queue },
        { "taskrecovery.kind", kind },
    };

    private Counter<long> Count(string name, string description) => _meter.CreateCounter<long>(name, "{entry}", description);

    private Histogram<double> Time(string name, string description)
        => _meter.CreateHistogram<double>(name, "s", description, advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200],
        });
}
