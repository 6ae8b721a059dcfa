using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Monitoring;

/// <summary>The public read model: checks the questions and passes them to the store.</summary>
internal sealed class QueueMonitor(IMonitorStore store) : IQueueMonitor
{
    public MonitorFeatures Features => store.Features;

    public IQueueMonitor Current => ReferenceEquals(store.Current, store) ? this : new QueueMonitor(store.Current);

    public ValueTask<QueueSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default)
        => store.GetSnapshotAsync(cancellationToken);

    public async ValueTask<Throughput> GetThroughputAsync(ThroughputQuery query, CancellationToken cancellationToken = default)
    {
        Require(MonitorFeatures.Statistics);
        var grid = ThroughputGrid.For(query);
        var rows = await store.ReadStatisticsAsync(
            query with { From = grid.From, To = grid.To }, grid.ByHour, cancellationToken).ConfigureAwait(false);
        return grid.Fill(rows, query.By);
    }

    public async ValueTask<IReadOnlyList<QueueSummary>> ListQueuesAsync(CancellationToken cancellationToken = default)
        => (await store.GetSnapshotAsync(cancellationToken).ConfigureAwait(false)).Queues;

    public ValueTask<IReadOnlyList<KindSummary>> ListKindsAsync(CancellationToken cancellationToken = default)
        => store.ListKindsAsync(cancellationToken);

    public ValueTask<EntrySummaryPage> ListAsync(EntryQuery query, CancellationToken cancellationToken = default)
    {
        QueryRules.Check(query);
        return store.ListAsync(query, cancellationToken);
    }

    public ValueTask<EntryGroups> GroupAsync(EntryQuery query, EntryGrouping by, CancellationToken cancellationToken = default)
    {
        QueryRules.Check(query);
        QueryRules.CheckDefined(by, nameof(by));
        return store.GroupAsync(query, by, cancellationToken);
    }

    public ValueTask<EntryLife?> GetLifeAsync(long entryId, EntryScope? scope = null, CancellationToken cancellationToken = default)
    {
        QueryRules.Check(scope);
        return store.GetLifeAsync(entryId, scope, cancellationToken);
    }

    public ValueTask<string?> GetStepResultAsync(long entryId, string step, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(step);
        return store.GetStepResultAsync(entryId, step, cancellationToken);
    }

    public ValueTask<string?> GetCheckpointAsync(long entryId, CancellationToken cancellationToken = default)
        => store.GetCheckpointAsync(entryId, cancellationToken);

    public ValueTask<IReadOnlyList<RunLogLine>> ListLogAsync(long entryId, CancellationToken cancellationToken = default)
    {
        Require(MonitorFeatures.RunInfo);
        return store.ListLogAsync(entryId, cancellationToken);
    }

    public ValueTask<IReadOnlyList<NodeSummary>> ListNodesAsync(CancellationToken cancellationToken = default)
        => store.ListNodesAsync(cancellationToken);

    public ValueTask<EventPage> ListEventsAsync(EventQuery query, CancellationToken cancellationToken = default)
    {
        Require(MonitorFeatures.Events);
        QueryRules.Check(query);
        return store.ListEventsAsync(query, cancellationToken);
    }

    public ValueTask<TaskRecord?> FindTaskAsync(Guid taskId, EntryScope? scope = null, CancellationToken cancellationToken = default)
    {
        QueryRules.Check(scope);
        return store.FindTaskAsync(taskId, scope, cancellationToken);
    }

    public ValueTask<TaskPage> ListTasksAsync(TaskQuery query, CancellationToken cancellationToken = default)
    {
        QueryRules.Check(query);
        return store.ListTasksAsync(query, cancellationToken);
    }

    public async ValueTask<IReadOnlyList<TaskRecord>> ListLastTasksAsync(
        LastTasksQuery query, CancellationToken cancellationToken = default)
    {
        QueryRules.Check(query);
        return query.JobIds.Count == 0 ? [] : await store.ListLastTasksAsync(query, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<JobPage> ListJobsAsync(JobQuery query, CancellationToken cancellationToken = default)
    {
        QueryRules.Check(query);
        return store.ListJobsAsync(query, cancellationToken);
    }

    public async ValueTask<IReadOnlyList<Job>> FindJobsAsync(
        IReadOnlyCollection<Guid> jobIds, CancellationToken cancellationToken = default)
    {
        QueryRules.Check(jobIds);
        return jobIds.Count == 0 ? [] : await store.FindJobsAsync(jobIds, cancellationToken).ConfigureAwait(false);
    }

    private void Require(MonitorFeatures feature)
    {
        if (!store.Features.HasFlag(feature))
        {
            throw new NotSupportedException($"The store does not support {feature}: see {nameof(IQueueMonitor)}.{nameof(Features)}.");
        }
    }
}
