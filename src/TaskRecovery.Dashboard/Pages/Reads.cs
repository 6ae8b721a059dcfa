using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>What the pages read, shared between their viewers.</summary>
internal sealed class Reads(
    IQueueMonitor monitor, IQueueOperator operations, IJobService jobs, ITaskService tasks, SharedReads shared, SearchLimit limit)
{
    public bool Has(MonitorFeatures feature) => monitor.Features.HasFlag(feature);

    public ValueTask<QueueSnapshot> SnapshotAsync(DashboardRequest request)
        => shared.GetAsync("snapshot", monitor.GetSnapshotAsync, request.Aborted);

    public ValueTask<IReadOnlyList<KindSummary>> KindsAsync(DashboardRequest request)
        => shared.GetAsync("kinds", monitor.ListKindsAsync, request.Aborted);

    public ValueTask<IReadOnlyList<NodeSummary>> NodesAsync(DashboardRequest request)
        => shared.GetAsync("nodes", monitor.ListNodesAsync, request.Aborted);

    public ValueTask<IReadOnlyList<Job>> JobsAsync(DashboardRequest request)
        => shared.GetAsync("jobs", async token => await jobs.ListAllAsync(token).ConfigureAwait(false), request.Aborted);

    public ValueTask<Throughput> ThroughputAsync(DashboardRequest request, string name, ThroughputQuery query)
        => shared.GetAsync($"throughput {name}", token => monitor.GetThroughputAsync(query, token), request.Aborted);

    public ValueTask<EventPage> EventsAsync(DashboardRequest request, EventQuery query)
        => shared.GetAsync($"events {Key(query)}", token => monitor.ListEventsAsync(query, token), request.Aborted);

    public ValueTask<TaskPage> TasksAsync(DashboardRequest request, TaskQuery query)
        => shared.GetAsync(
            $"tasks {query.JobId} {query.State} {query.Before} {query.Limit}",
            token => monitor.ListTasksAsync(query, token), request.Aborted);

    public async ValueTask<TaskRecord?> TaskAsync(DashboardRequest request, Guid id)
        => await tasks.GetAsync(id, request.Aborted).ConfigureAwait(false);

    public ValueTask<EntryLife?> LifeAsync(DashboardRequest request, long id)
        => shared.GetAsync($"life {id}", token => monitor.GetLifeAsync(id, token), request.Aborted);

    public ValueTask<IReadOnlyList<RunLogLine>> LogAsync(DashboardRequest request, long id)
        => shared.GetAsync($"log {id}", token => monitor.ListLogAsync(id, token), request.Aborted);

    public ValueTask<string?> StepAsync(DashboardRequest request, long id, string name)
        => monitor.GetStepResultAsync(id, name, request.Aborted);

    public ValueTask<string?> CheckpointAsync(DashboardRequest request, long id) => monitor.GetCheckpointAsync(id, request.Aborted);

    /// <summary>A list of entries. One that has to examine many entries counts as a search, of which a user runs one at a time.</summary>
    public async ValueTask<EntrySummaryPage> EntriesAsync(DashboardRequest request, EntryForm form)
    {
        var question = $"entries {form.Address} {form.Before}";
        return form.IsSearch
            ? await SearchAsync(request, question, token => monitor.ListAsync(form.Query, token)).ConfigureAwait(false)
            : await shared.GetAsync(question, token => monitor.ListAsync(form.Query, token), request.Aborted).ConfigureAwait(false);
    }

    /// <summary>The newest entries of a prepared operation.</summary>
    public ValueTask<EntrySummaryPage> SampleAsync(DashboardRequest request, long operation, EntryQuery query)
        => SearchAsync(request, $"sample {operation}", token => monitor.ListAsync(query, token));

    public async ValueTask<EntryGroups> GroupsAsync(DashboardRequest request, EntryForm form, EntryGrouping by)
    {
        var question = $"groups {by} {form.Address}";
        return form.IsSearch
            ? await SearchAsync(request, question, token => monitor.GroupAsync(form.Query, by, token)).ConfigureAwait(false)
            : await shared.GetAsync(question, token => monitor.GroupAsync(form.Query, by, token), request.Aborted).ConfigureAwait(false);
    }

    public ValueTask<IReadOnlyList<BulkOperation>> OperationsAsync(DashboardRequest request, long? before)
        => shared.GetAsync($"operations {before}", token => operations.ListOperationsAsync(before, 50, token), request.Aborted);

    public ValueTask<BulkOperation?> OperationAsync(DashboardRequest request, long id)
        => shared.GetAsync($"operation {id}", token => operations.FindOperationAsync(id, token), request.Aborted);

    public ValueTask<OperationEntryPage> OperationEntriesAsync(DashboardRequest request, OperationEntryQuery query)
        => shared.GetAsync(
            $"operation {query.OperationId} {query.OnlyRefused} {query.After}",
            token => operations.ListOperationEntriesAsync(query, token), request.Aborted);

    // A name may contain anything, so its length says where it ends.
    private static string Key(EventQuery query)
        => $"{query.Before} {query.After} {query.EntryId} {query.OperationId} {query.Limit} {string.Join(',', query.Kinds
            ?? [])} {query.Node?.Length} {query.Node} {query.Actor}";

    // The turn ends with the search and not with the request: a user who leaves the page must not start a second search beside the first.
    // The user is part of the question, so that nobody gets the refusal of another user.
    private ValueTask<T> SearchAsync<T>(DashboardRequest request, string question, Func<CancellationToken, ValueTask<T>> read)
    {
        var user = request.Access.User;
        return shared.GetAsync(
            $"{question} {user}",
            async token =>
            {
                using var turn = limit.Begin(user);
                return await read(token).ConfigureAwait(false);
            },
            request.Aborted);
    }
}
