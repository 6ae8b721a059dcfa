using TaskRecovery.Storage;

namespace TaskRecovery.Monitoring;

/// <summary>Stands in for the read model of a store that has none.</summary>
internal sealed class NoMonitorStore : IMonitorStore
{
    public MonitorFeatures Features => MonitorFeatures.None;

    public ValueTask<QueueSnapshot> GetSnapshotAsync(CancellationToken cancellationToken) => throw None();

    public ValueTask<IReadOnlyList<StatisticsRow>> ReadStatisticsAsync(
        ThroughputQuery query, bool byHour, CancellationToken cancellationToken) => throw None();

    public ValueTask<IReadOnlyList<KindSummary>> ListKindsAsync(CancellationToken cancellationToken) => throw None();

    public ValueTask<EntrySummaryPage> ListAsync(EntryQuery query, CancellationToken cancellationToken) => throw None();

    public ValueTask<EntryGroups> GroupAsync(EntryQuery query, EntryGrouping by, CancellationToken cancellationToken) => throw None();

    public ValueTask<EntryLife?> GetLifeAsync(long entryId, EntryScope? scope, CancellationToken cancellationToken) => throw None();

    public ValueTask<string?> GetStepResultAsync(long entryId, string step, CancellationToken cancellationToken) => throw None();

    public ValueTask<string?> GetCheckpointAsync(long entryId, CancellationToken cancellationToken) => throw None();

    public ValueTask<IReadOnlyList<RunLogLine>> ListLogAsync(long entryId, CancellationToken cancellationToken) => throw None();

    public ValueTask<IReadOnlyList<NodeSummary>> ListNodesAsync(CancellationToken cancellationToken) => throw None();

    public ValueTask<EventPage> ListEventsAsync(EventQuery query, CancellationToken cancellationToken) => throw None();

    public ValueTask<TaskRecord?> FindTaskAsync(Guid taskId, EntryScope? scope, CancellationToken cancellationToken) => throw None();

    public ValueTask<TaskPage> ListTasksAsync(TaskQuery query, CancellationToken cancellationToken) => throw None();

    public ValueTask<IReadOnlyList<TaskRecord>> ListLastTasksAsync(LastTasksQuery query, CancellationToken cancellationToken)
        => throw None();

    public ValueTask<JobPage> ListJobsAsync(JobQuery query, CancellationToken cancellationToken) => throw None();

    public ValueTask<IReadOnlyList<Job>> FindJobsAsync(IReadOnlyCollection<Guid> jobIds, CancellationToken cancellationToken)
        => throw None();

    public ValueTask AddStatisticsAsync(IReadOnlyList<StatisticsCount> counts, CancellationToken cancellationToken)
        => ValueTask.CompletedTask;

    public ValueTask<bool> CondenseAsync(CancellationToken cancellationToken) => ValueTask.FromResult(false);

    private static NotSupportedException None() => new("The store has no read model: it registers no IMonitorStore.");
}
