namespace TaskRecovery;

/// <summary>The names of this library's metrics and traces.</summary>
public static class TaskRecoveryDiagnostics
{
    /// <summary>The name of the meter. Pass it to <c>AddMeter</c>.</summary>
    public const string MeterName = "TaskRecovery";

    /// <summary>The name of the activity source. Pass it to <c>AddSource</c>.</summary>
    public const string ActivitySourceName = "TaskRecovery";

    /// <summary>The tag of the meter that holds the name of a named instance (<c>AddTaskRecovery("reports")</c>). The instance without a
    /// name has no such tag.</summary>
    public const string InstanceTag = "taskrecovery.instance";

    /// <summary>Counter: entries stored through <see cref="IJobQueue"/>, without duplicates and without the runs of jobs.</summary>
    public const string Enqueued = "taskrecovery.entry.enqueued";

    /// <summary>Counter: entries claimed by this process.</summary>
    public const string Claimed = "taskrecovery.entry.claimed";

    /// <summary>Counter: runs whose outcome was stored, with the tag <c>taskrecovery.outcome</c>.</summary>
    public const string Finished = "taskrecovery.entry.finished";

    /// <summary>Counter: failed runs that will be retried.</summary>
    public const string Retried = "taskrecovery.entry.retried";

    /// <summary>Counter: entries and tasks that this process recovered or closed, in sweeps and at start-up, with the tag
    /// <c>taskrecovery.action</c>.</summary>
    public const string Recovered = "taskrecovery.entry.recovered";

    /// <summary>Gauge in seconds: the Unix time at which this process last recovered or closed work of a node that died. It has no value
    /// before the first time. A counter that begins anew in each process can't show that a single process dies again and again.</summary>
    public const string LastRecovery = "taskrecovery.recovery.last";

    /// <summary>Counter: runs whose outcome was discarded because this node had lost the claim.</summary>
    public const string ClaimLost = "taskrecovery.claim.lost";

    /// <summary>Counter: entries released because the answer to their claim was lost.</summary>
    public const string Released = "taskrecovery.claim.released";

    /// <summary>Histogram in seconds: the duration of a run.</summary>
    public const string RunDuration = "messaging.process.duration";

    /// <summary>Histogram in seconds: the time from when an entry became due to its claim.</summary>
    public const string WaitDuration = "taskrecovery.entry.wait.duration";

    /// <summary>Gauge: due entries per queue. A store may stop counting at 100,000.</summary>
    public const string QueueDepth = "taskrecovery.queue.depth";

    /// <summary>Gauge in seconds: how long the oldest due entry of a queue has waited.</summary>
    public const string QueueAge = "taskrecovery.queue.age";

    /// <summary>Gauge: nodes that this node considers alive, including itself.</summary>
    public const string NodesAlive = "taskrecovery.nodes.alive";

    /// <summary>Gauge: handlers of this process that still run 5 seconds after their token was cancelled.</summary>
    public const string UnresponsiveHandlers = "taskrecovery.handlers.unresponsive";

    /// <summary>Gauge in seconds, by kind: the time since the last stored step or checkpoint of all runs of this process together, which a
    /// crash would cost.</summary>
    public const string WorkAtRisk = "taskrecovery.work.at_risk";

    /// <summary>Gauge in seconds, by kind: the longest time since the last stored step or checkpoint of a run of this process.</summary>
    public const string WorkAtRiskMax = "taskrecovery.work.at_risk.max";
}
