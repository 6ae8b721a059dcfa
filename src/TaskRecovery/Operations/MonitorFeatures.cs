namespace TaskRecovery;

/// <summary>The parts of <see cref="IQueueMonitor"/> and <see cref="IQueueOperator"/> that a store supports. A method that needs a missing
/// feature throws <see cref="NotSupportedException"/>.</summary>
[Flags]
public enum MonitorFeatures
{
    /// <summary>Only the snapshot, the lists and the life of an entry.</summary>
    None = 0,

    /// <summary>Throughput over time (see <see cref="IQueueMonitor.GetThroughputAsync"/>).</summary>
    Statistics = 1,

    /// <summary>The record of events (see <see cref="IQueueMonitor.ListEventsAsync"/>).</summary>
    Events = 2,

    /// <summary>Bulk operations with preview, stop and undo (see <see cref="IQueueOperator.PreviewAsync"/>).</summary>
    BulkOperations = 4,

    /// <summary>The progress and log lines of runs (see <see cref="EntryLife.Progress"/> and
    /// <see cref="IQueueMonitor.ListLogAsync"/>).</summary>
    RunInfo = 8,

    /// <summary>Every feature.</summary>
    All = Statistics | Events | BulkOperations | RunInfo,
}
