using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The read model of a store. Queries reach it checked: limits are in range, texts are not too long.</summary>
/// <remarks>Nothing here may read the whole history: a list examines at most <see cref="EntryQuery.MaxExamined"/> entries. If
/// only entries that have ended can match, it examines the ends of runs, so that those that wait do not hide them. Reads must not delay
/// writes: a store uses connections of their own, in read-only transactions with a time limit, and throws <see cref="TimeoutException"/> if
/// it is exceeded. The conformance suite tests what each method promises.</remarks>
[Experimental("TASKRECOVERY001")]
public interface IMonitorStore
{
    /// <inheritdoc cref="IQueueMonitor.Features"/>
    MonitorFeatures Features { get; }

    /// <inheritdoc cref="IQueueMonitor.GetSnapshotAsync"/>
    ValueTask<QueueSnapshot> GetSnapshotAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.Current"/>
    IMonitorStore Current => this;

    /// <summary>Reads stored counts.</summary>
    /// <param name="query">The range, what to count and how to separate it. The intervals are those that are stored.</param>
    /// <param name="byHour">Whether to read the counts of hours; else those of minutes.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>One row for each minute or hour with counts and, if they are separated, for each queue or kind, ordered by queue, kind and
    /// time.</returns>
    ValueTask<IReadOnlyList<StatisticsRow>> ReadStatisticsAsync(ThroughputQuery query, bool byHour, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.ListKindsAsync"/>
    ValueTask<IReadOnlyList<KindSummary>> ListKindsAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.ListAsync"/>
    ValueTask<EntrySummaryPage> ListAsync(EntryQuery query, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.GroupAsync"/>
    ValueTask<EntryGroups> GroupAsync(EntryQuery query, EntryGrouping by, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.GetLifeAsync"/>
    ValueTask<EntryLife?> GetLifeAsync(long entryId, EntryScope? scope, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.GetStepResultAsync"/>
    ValueTask<string?> GetStepResultAsync(long entryId, string step, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.GetCheckpointAsync"/>
    ValueTask<string?> GetCheckpointAsync(long entryId, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.ListLogAsync"/>
    ValueTask<IReadOnlyList<RunLogLine>> ListLogAsync(long entryId, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.ListNodesAsync"/>
    ValueTask<IReadOnlyList<NodeSummary>> ListNodesAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.ListEventsAsync"/>
    ValueTask<EventPage> ListEventsAsync(EventQuery query, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.FindTaskAsync"/>
    ValueTask<TaskRecord?> FindTaskAsync(Guid taskId, EntryScope? scope, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.ListTasksAsync"/>
    ValueTask<TaskPage> ListTasksAsync(TaskQuery query, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.ListLastTasksAsync"/>
    ValueTask<IReadOnlyList<TaskRecord>> ListLastTasksAsync(LastTasksQuery query, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.ListJobsAsync"/>
    ValueTask<JobPage> ListJobsAsync(JobQuery query, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueMonitor.FindJobsAsync"/>
    ValueTask<IReadOnlyList<Job>> FindJobsAsync(IReadOnlyCollection<Guid> jobIds, CancellationToken cancellationToken);

    /// <summary>Adds counts to those of the current minute and hour, by the store's clock. Counts of queues and kinds that the store does
    /// not know are dropped.</summary>
    /// <param name="counts">At most one item for each queue and kind.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    ValueTask AddStatisticsAsync(IReadOnlyList<StatisticsCount> counts, CancellationToken cancellationToken);

    /// <summary>Removes a bounded number of counts of minutes that are more than a day old, of hours that are more than 90 days old, and of
    /// events that are more than 30 days old. Of events without an actor, only the last 100,000 are kept.</summary>
    /// <returns><see langword="true"/> if there may be more to remove now.</returns>
    ValueTask<bool> CondenseAsync(CancellationToken cancellationToken);
}
