using System.Collections.Concurrent;
using TaskRecovery.Storage;

namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>A read model whose answers are given by the test.</summary>
internal sealed class FakeMonitor(FakeSystem system) : IQueueMonitor
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _blocked = [];

    private Exception? _failure;
    private string? _failing;

    public MonitorFeatures Features { get; set; } = MonitorFeatures.All;

    /// <summary>The last question about events.</summary>
    public EventQuery? EventsAsked { get; private set; }

    /// <summary>How many names of jobs a search compares at most.</summary>
    public int MostCompared { get; set; } = int.MaxValue;

    /// <summary>Makes every question fail, or one of them, until it is called with null.</summary>
    public void Fail(Exception? failure, string? question = null) => (_failing, _failure) = (question, failure);

    /// <summary>Leaves a question unanswered, until the result is completed.</summary>
    public TaskCompletionSource Block(string question)
        => _blocked[question] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public ValueTask<QueueSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default) => Answer("snapshot", system.Snapshot);

    public ValueTask<Throughput> GetThroughputAsync(ThroughputQuery query, CancellationToken cancellationToken = default)
    {
        var bucket = query.Bucket ?? TimeSpan.FromMinutes(1);
        var count = (int)((query.To - query.From) / bucket);
        var points = Enumerable.Range(0, count).Select(
            index => new ThroughputPoint(query.From + (index * bucket), system.Throughput(count - 1 - index)));
        return Answer("throughput", new Throughput(bucket, [new ThroughputSeries(null, [.. points])]));
    }

    public ValueTask<IReadOnlyList<QueueSummary>> ListQueuesAsync(CancellationToken cancellationToken = default) => Answer(
        "queues", system.Snapshot.Queues);

    public ValueTask<IReadOnlyList<KindSummary>> ListKindsAsync(CancellationToken cancellationToken = default)
        => Answer<IReadOnlyList<KindSummary>>("kinds", system.Kinds);

    public ValueTask<EntrySummaryPage> ListAsync(EntryQuery query, CancellationToken cancellationToken = default)
    {
        var found = Matching(query).OrderByDescending(static life => life.Entry.Id).ToList();
        var page = found.Take(query.Limit).Select(static life => EntrySummaries.Of(life.Entry)).ToList();
        var isComplete = found.Count <= query.Limit;
        return Answer(
            "list", new EntrySummaryPage(page, isComplete ? null : page[^1].Id, page.Count == 0 ? null : page[^1].CreatedAt, isComplete));
    }

    public ValueTask<EntryGroups> GroupAsync(EntryQuery query, EntryGrouping by, CancellationToken cancellationToken = default)
    {
        var groups = query.States?.SequenceEqual([EntryState.Failed]) == true && system.FailedKinds.Count > 0 && by != EntryGrouping.Queue
            ? by == EntryGrouping.Kind ? system.FailedKinds : system.FailedReasons
            : Matching(query).GroupBy(life => Key(life.Entry, by)).Select(
                static group => new EntryGroup(group.Key, new Count(group.Count()))).ToList();
        var isComplete = query.MaxExamined >= system.FailedInAll;
        return Answer("group", new EntryGroups(
            !isComplete && system.NewestAreCancelled ? [] : groups, system.Now.AddDays(-1), isComplete));
    }

    public ValueTask<EntryLife?> GetLifeAsync(long entryId, EntryScope? scope = null, CancellationToken cancellationToken = default)
        => Answer("life", system.Lives.Find(life => life.Entry.Id == entryId
            && scope?.Admits(life.Entry.Queue, life.Entry.Kind, life.Entry.Metadata) != false));

    public ValueTask<string?> GetStepResultAsync(long entryId, string step, CancellationToken cancellationToken = default)
        => Answer<string?>("step", system.StepResult);

    public ValueTask<string?> GetCheckpointAsync(long entryId, CancellationToken cancellationToken = default) => Answer<string?>(
        "checkpoint", system.Checkpoint);

    public ValueTask<IReadOnlyList<RunLogLine>> ListLogAsync(long entryId, CancellationToken cancellationToken = default)
        => Answer<IReadOnlyList<RunLogLine>>("log", system.Log);

    public ValueTask<IReadOnlyList<NodeSummary>> ListNodesAsync(CancellationToken cancellationToken = default)
        => Answer<IReadOnlyList<NodeSummary>>("nodes", system.Nodes);

    public ValueTask<EventPage> ListEventsAsync(EventQuery query, CancellationToken cancellationToken = default)
    {
        EventsAsked = query;
        var events = system.Events.Where(one => query.Kinds is not { Count: > 0 }
            || query.Kinds.Contains(one.Kind)).OrderByDescending(static one => one.Id).Take(query.Limit);
        return Answer("events", new EventPage([.. events], null));
    }

    public ValueTask<TaskRecord?> FindTaskAsync(Guid taskId, EntryScope? scope = null, CancellationToken cancellationToken = default)
        => Answer("task", system.Tasks.Find(task => task.Id == taskId
            && (scope is null || system.Jobs.Exists(job => job.Id == task.JobId && scope.Admits(job.Queue, $"task:{job.Kind}", null)))));

    public ValueTask<TaskPage> ListTasksAsync(TaskQuery query, CancellationToken cancellationToken = default)
    {
        var tasks = system.Tasks.Where(
            task => (query.JobId is null || task.JobId == query.JobId) && (query.State is null || task.State == query.State))
            .OrderByDescending(static task => task.CreatedAt).ToList();
        var left = tasks.Skip(query.Before is { } before ? tasks.FindIndex(task => task.Id == before) + 1 : 0).ToList();
        var page = left.Take(query.Limit).ToList();
        return Answer("tasks", new TaskPage(page, left.Count > page.Count ? page[^1].Id : null, left.Count == page.Count));
    }

    public ValueTask<IReadOnlyList<TaskRecord>> ListLastTasksAsync(LastTasksQuery query, CancellationToken cancellationToken = default)
        => Answer<IReadOnlyList<TaskRecord>>("last tasks", [.. query.JobIds.SelectMany(id => system.Tasks.Where(task => task.JobId == id)
            .OrderByDescending(static task => task.CreatedAt).Take(query.Limit))]);

    public ValueTask<JobPage> ListJobsAsync(JobQuery query, CancellationToken cancellationToken = default)
    {
        var most = Math.Min(query.MaxExamined, MostCompared);
        var compared = system.Jobs.Where(job => query.After is null || string.CompareOrdinal(job.Name, query.After) > 0)
            .OrderBy(static job => job.Name, StringComparer.Ordinal).Select(static job => job with { Args = "" })
            .Take(query.NameContains is null ? int.MaxValue : most).ToList();
        var found = compared.FindAll(
            job => query.NameContains is null || job.Name.Contains(query.NameContains, StringComparison.OrdinalIgnoreCase));
        return Answer(
            "jobs",
            found.Count > query.Limit ? new JobPage(found[..query.Limit], found[query.Limit - 1].Name)
                : new JobPage(found, query.NameContains is not null && compared.Count == most ? compared[^1].Name : null));
    }

    public ValueTask<IReadOnlyList<Job>> FindJobsAsync(IReadOnlyCollection<Guid> jobIds, CancellationToken cancellationToken = default)
        => Answer<IReadOnlyList<Job>>(
            "jobs by id",
            [.. system.Jobs.Where(job => jobIds.Contains(job.Id)).Select(static job => job with { Args = "" })]);

    private IEnumerable<EntryLife> Matching(EntryQuery query) => system.Lives.Where(life =>
        (query.States is not { Count: > 0 } || query.States.Contains(life.Entry.State))
        && (query.Queue is null || life.Entry.Queue == query.Queue)
        && (query.Kind is null || life.Entry.Kind == query.Kind || (
            query.Kind.EndsWith('*') && life.Entry.Kind.StartsWith(query.Kind[..^1], StringComparison.Ordinal)))
        && (query.Reason is null || life.Entry.Reason == query.Reason)
        && (query.Node is null || life.Entry.Node == query.Node)
        && (query.Text is null || life.Entry.Args.Contains(query.Text, StringComparison.Ordinal))
        && (query.TraceId is null || life.TraceParent?.Contains(query.TraceId, StringComparison.Ordinal) == true)
        && (query.UniqueKey is null || life.Entry.UniqueKey == query.UniqueKey)
        && query.Scope?.Admits(life.Entry.Queue, life.Entry.Kind, life.Entry.Metadata) != false
        && (query.Before is null || life.Entry.Id < query.Before));

    private static string Key(QueueEntry entry, EntryGrouping by) => by switch
    {
        EntryGrouping.Kind => entry.Kind,
        EntryGrouping.Reason => entry.Reason ?? "",
        EntryGrouping.Queue => entry.Queue,
        _ => entry.State.ToString(),
    };

    private async ValueTask<T> Answer<T>(string question, T answer)
    {
        lock (system.Asked)
        {
            system.Asked.Add(question);
        }

        if (_blocked.TryGetValue(question, out var blocked))
        {
            await blocked.Task;
        }

        return _failure is { } failure && (_failing ?? question) == question ? throw failure : answer;
    }
}
