namespace TaskRecovery;

/// <summary>The names that this library's metrics and traces go by.</summary>
public static class TaskRecoveryDiagnostics
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "TaskRecovery";

    /// <summary>The name of the activity source.</summary>
    public const string ActivitySourceName = "TaskRecovery";

    /// <summary>Counter: entries stored.</summary>
    public const string Enqueued = "taskrecovery.entry.enqueued";

    /// <summary>Counter: entries claimed by this node.</summary>
    public const string Claimed = "taskrecovery.entry.claimed";

    /// <summary>Counter: runs whose outcome was stored, by <c>taskrecovery.outcome</c>.</summary>
    public const string Finished = "taskrecovery.entry.finished";

    /// <summary>Counter: failed runs that are tried again.</summary>
    public const string Retried = "taskrecovery.entry.retried";

    /// <summary>Counter: entries taken from dead nodes by this node's sweeps, by <c>taskrecovery.action</c>.</summary>
    public const string Recovered = "taskrecovery.entry.recovered";

    /// <summary>Counter: runs whose claim this node lost, so that their result was discarded.</summary>
    public const string ClaimLost = "taskrecovery.claim.lost";

    /// <summary>Counter: entries released because the answer of their claim was lost.</summary>
    public const string Released = "taskrecovery.claim.released";

    /// <summary>Histogram, seconds: how long a run took.</summary>
    public const string RunDuration = "messaging.process.duration";

    /// <summary>Histogram, seconds: how long an entry had been due when it was claimed.</summary>
    public const string WaitDuration = "taskrecovery.entry.wait.duration";

    /// <summary>Gauge: entries that are due, by queue. A store may stop counting at 100,000.</summary>
    public const string QueueDepth = "taskrecovery.queue.depth";

    /// <summary>Gauge, seconds: how long the first due entry of a queue has waited.</summary>
    public const string QueueAge = "taskrecovery.queue.age";

    /// <summary>Gauge: nodes that are alive as this one sees it, itself included.</summary>
    public const string NodesAlive = "taskrecovery.nodes.alive";

    /// <summary>Gauge: handlers of this process that go on although their token was cancelled.</summary>
    public const string UnresponsiveHandlers = "taskrecovery.handlers.unresponsive";
}
