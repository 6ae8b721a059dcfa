using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>What the pages read, shared between their viewers.</summary>
internal sealed class Reads(
    IQueueMonitor monitor, IQueueOperator operations, IJobService jobs, ITaskService tasks, SharedReads shared, SearchLimit limit,
    ReadTurns turns, ILogger<Reads> logger)
{
    public bool Has(MonitorFeatures feature) => monitor.Features.HasFlag(feature);

    public ValueTask<QueueSnapshot> SnapshotAsync(DashboardRequest request)
        => shared.GetAsync("snapshot", monitor.GetSnapshotAsync, request.Aborted);

    /// <summary>The snapshot for what a page shows besides its subject; <see langword="null"/> if counting takes too long. Many full queues
    /// make it slow, and the pages that are needed then must not fail because of it.</summary>
    public async ValueTask<QueueSnapshot?> TrySnapshotAsync(DashboardRequest request)
    {
        try
        {
            return await SnapshotAsync(request).ConfigureAwait(false);
        }
        catch (TimeoutException failure)
        {
            Log.PageFailed(logger, failure, "snapshot");
            return null;
        }
    }

    public ValueTask<IReadOnlyList<KindSummary>> KindsAsync(DashboardRequest request)
        => shared.GetAsync("kinds", monitor.ListKindsAsync, request.Aborted);

    public ValueTask<IReadOnlyList<NodeSummary>> NodesAsync(DashboardRequest request)
        => shared.GetAsync("nodes", monitor.ListNodesAsync, request.Aborted);

    public ValueTask<IReadOnlyList<Job>> JobsAsync(DashboardRequest request)
        => shared.GetAsync("jobs", async token => await jobs.ListAllAsync(token).ConfigureAwait(false), request.Aborted);

    public ValueTask<Throughput> ThroughputAsync(DashboardRequest request, string name, ThroughputQuery query)
        => shared.GetAsync($"throughput {name}", token => monitor.GetThroughputAsync(query, token), request.Aborted);

    public ValueTask<EventPage> EventsAsync(DashboardRequest request, EventQuery query)
    {
        var isCommon = query is { Before: null, After: null, Node: null, Actor: null, EntryId: null, OperationId: null };
        return AskAsync(request, isCommon, $"events {Key(query)}", token => monitor.ListEventsAsync(query, token));
    }

    public ValueTask<TaskPage> TasksAsync(DashboardRequest request, TaskQuery query)
        => AskAsync(
            request, query is { JobId: null, Before: null }, $"tasks {query.JobId} {query.State} {query.Before} {query.Limit}",
            token => monitor.ListTasksAsync(query, token));

    public ValueTask<TaskRecord?> TaskAsync(DashboardRequest request, Guid id)
        => AskAsync(request, false, $"task {id}", async token => await tasks.GetAsync(id, token).ConfigureAwait(false));

    public ValueTask<EntryLife?> LifeAsync(DashboardRequest request, long id)
        => AskAsync(request, false, $"life {id}", token => monitor.GetLifeAsync(id, token));

    public ValueTask<IReadOnlyList<RunLogLine>> LogAsync(DashboardRequest request, long id)
        => AskAsync(request, false, $"log {id}", token => monitor.ListLogAsync(id, token));

    public ValueTask<string?> StepAsync(DashboardRequest request, long id, string name)
        => AskAsync(request, false, $"step {id} {name}", token => monitor.GetStepResultAsync(id, name, token));

    public ValueTask<string?> CheckpointAsync(DashboardRequest request, long id)
        => AskAsync(request, false, $"checkpoint {id}", token => monitor.GetCheckpointAsync(id, token));

    /// <summary>A list of entries. One that has to examine many entries counts as a search, of which a user runs one at a time.</summary>
    public ValueTask<EntrySummaryPage> EntriesAsync(DashboardRequest request, EntryForm form)
    {
        LogSearch(request, form.DataConditions);
        var question = $"entries {form.Address} {form.Before}";
        return form.IsSearch
            ? SearchAsync(request, question, token => monitor.ListAsync(form.Query, token))
            : AskAsync(request, form.IsCommon, question, token => monitor.ListAsync(form.Query, token));
    }

    /// <summary>The newest entries of a prepared operation.</summary>
    public ValueTask<EntrySummaryPage> SampleAsync(DashboardRequest request, long operation, EntryQuery query)
        => SearchAsync(request, $"sample {operation}", token => monitor.ListAsync(query, token));

    public ValueTask<EntryGroups> GroupsAsync(DashboardRequest request, EntryForm form, EntryGrouping by)
    {
        LogSearch(request, form.DataConditions);
        var question = $"groups {by} {form.Address}";
        return form.IsSearch
            ? SearchAsync(request, question, token => monitor.GroupAsync(form.Query, by, token))
            : AskAsync(request, form.IsCommon, question, token => monitor.GroupAsync(form.Query, by, token));
    }

    public ValueTask<IReadOnlyList<BulkOperation>> OperationsAsync(DashboardRequest request, long? before)
        => AskAsync(request, before is null, $"operations {before}", token => operations.ListOperationsAsync(before, 50, token));

    public ValueTask<BulkOperation?> OperationAsync(DashboardRequest request, long id)
        => AskAsync(request, false, $"operation {id}", token => operations.FindOperationAsync(id, token));

    public ValueTask<OperationEntryPage> OperationEntriesAsync(DashboardRequest request, OperationEntryQuery query)
        => AskAsync(
            request, false, $"operation entries {query.OperationId} {query.OnlyRefused} {query.After}",
            token => operations.ListOperationEntriesAsync(query, token));

    /// <summary>Logs a search in data: by which conditions, and not for what, because that is data too.</summary>
    public void LogSearch(DashboardRequest request, IReadOnlyList<string> conditions)
    {
        if (conditions.Count > 0)
        {
            Log.DataSearched(logger, request.Access.User, string.Join(", ", conditions));
        }
    }

    // A name may contain anything, so its length says where it ends.
    private static string Key(EventQuery query)
        => $"{query.Before} {query.After} {query.EntryId} {query.OperationId} {query.Limit} {string.Join(',', query.Kinds
            ?? [])} {query.Node?.Length} {query.Node} {query.Actor}";

    // A question that is common has few variants, so that all viewers together can't ask many. Any other one needs the user's turn.
    private ValueTask<T> AskAsync<T>(DashboardRequest request, bool isCommon, string question, Func<CancellationToken, ValueTask<T>> read)
        => isCommon ? shared.GetAsync(question, read, request.Aborted) : AskInTurnAsync(request, question, read, isSearch: false);

    // The user is part of the question, so that a user's search does not depend on another user's turn.
    private ValueTask<T> SearchAsync<T>(DashboardRequest request, string question, Func<CancellationToken, ValueTask<T>> read)
        => AskInTurnAsync(request, $"{question} {request.Access.User}", read, isSearch: true);

    // A turn ends with the read and not with the request: a user who leaves the page must not start a second read beside the first.
    private async ValueTask<T> AskInTurnAsync<T>(
        DashboardRequest request, string question, Func<CancellationToken, ValueTask<T>> read, bool isSearch)
    {
        if (!shared.TryFind<T>(question, out var answer))
        {
            var search = isSearch ? limit.Begin(request.Access.User) : null;
            IDisposable turn;
            try
            {
                turn = await turns.BeginAsync(request.Access.User, request.Aborted).ConfigureAwait(false);
            }
            catch
            {
                search?.Dispose();
                throw;
            }

            answer = shared.Start(
                question,
                async token =>
                {
                    using (search)
                    using (turn)
                    {
                        return await read(token).ConfigureAwait(false);
                    }
                },
                out var isNew);
            if (!isNew)
            {
                turn.Dispose();
                search?.Dispose();
            }
        }

        return await answer.WaitAsync(request.Aborted).ConfigureAwait(false);
    }
}
