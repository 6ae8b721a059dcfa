namespace TaskRecovery;

/// <summary>How <see cref="IQueueMonitor.GetThroughputAsync"/> separates its counts.</summary>
public enum ThroughputGrouping
{
    /// <summary>One series for everything.</summary>
    None = 0,

    /// <summary>One series for each queue.</summary>
    Queue = 1,

    /// <summary>One series for each kind.</summary>
    Kind = 2,
}
