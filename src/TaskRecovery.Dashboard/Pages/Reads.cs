using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>What the pages read, shared between their viewers.</summary>
internal sealed partial class Reads(
    IQueueMonitor monitor, IQueueOperator operations, IJobService jobs, SharedReads shared, SearchLimit limit, ReadTurns turns,
    ILogger<Reads> logger)
{
    /// <summary>How many operations a page lists.</summary>
    public const int OperationsPerPage = 50;

    public bool Has(MonitorFeatures feature) => monitor.Features.HasFlag(feature);

    /// <summary>The snapshot as the user may see it. With a scope, it has no numbers of the whole system, and queues only if all of their
    /// entries are seen.</summary>
    public async ValueTask<QueueSnapshot> SnapshotAsync(DashboardRequest request)
    {
        var snapshot = await shared.GetAsync("snapshot", monitor.GetSnapshotAsync, request.Aborted).ConfigureAwait(false);
        return request.Access.Scope is null ? snapshot : new QueueSnapshot
        {
            TakenAt = snapshot.TakenAt,
            Queues = [.. snapshot.Queues.Where(queue => request.Access.SeesQueue(queue.Name))],
            Failed = new Count(0),
            Cancelled = new Count(0),
            Stored = new Count(0, CountPrecision.About),
            LastHour = new EntryTotals(),
            LastDay = new EntryTotals(),
        };
    }

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
            Log.Failed(logger, failure, "Reading the snapshot");
            return null;
        }
    }

    public async ValueTask<IReadOnlyList<KindSummary>> KindsAsync(DashboardRequest request)
    {
        var kinds = await shared.GetAsync("kinds", monitor.ListKindsAsync, request.Aborted).ConfigureAwait(false);
        return request.Access.Scope is null ? kinds : [.. kinds.Where(kind => request.Access.SeesKind(kind.Name))];
    }

    /// <summary>The nodes; none for a user with a scope, because a node works for all.</summary>
    public async ValueTask<IReadOnlyList<NodeSummary>> NodesAsync(DashboardRequest request)
        => request.Access.Scope is null
            ? await shared.GetAsync("nodes", monitor.ListNodesAsync, request.Aborted).ConfigureAwait(false)
            : [];

    public ValueTask<Throughput> ThroughputAsync(DashboardRequest request, string name, ThroughputQuery query)
        => shared.GetAsync($"throughput {name}", token => monitor.GetThroughputAsync(query, token), request.Aborted);

    /// <summary>As the other one, for any range; none for a user with a scope, because the counts are of the whole system.</summary>
    public async ValueTask<Throughput> ThroughputAsync(DashboardRequest request, ThroughputQuery query)
        => request.Access.Scope is not null
            ? new Throughput(query.Bucket ?? TimeSpan.FromMinutes(1), [])
            : await AskAsync(
                request, false,
                $"throughput {query.From:O} {query.To:O} {query.Bucket} {query.By} {query.Queue?.Length} {query.Queue} {query.Kind}",
                token => monitor.GetThroughputAsync(query, token)).ConfigureAwait(false);

    /// <summary>Events; none for a user with a scope. Those of an entry are in its life.</summary>
    public async ValueTask<EventPage> EventsAsync(DashboardRequest request, EventQuery query)
    {
        if (request.Access.Scope is not null)
        {
            return new EventPage([], null);
        }

        // The limits of the pages and the usual one of the API.
        var isCommon = query is
        {
            Before: null, After: null, Node: null, Actor: null, EntryId: null, OperationId: null, Limit: 8 or 60 or 100 or 200,
        };
        return await AskAsync(request, isCommon, $"events {Key(query)}", token => monitor.ListEventsAsync(query, token))
            .ConfigureAwait(false);
    }

    /// <summary>The events for what a page shows besides its subject; <see langword="null"/> if they can't be read in time.</summary>
    public async ValueTask<EventPage?> TryEventsAsync(DashboardRequest request, EventQuery query)
    {
        try
        {
            return await EventsAsync(request, query).ConfigureAwait(false);
        }
        catch (TimeoutException failure)
        {
            Log.Failed(logger, failure, "Reading the events");
            return null;
        }
    }

    /// <summary>An entry; <see langword="null"/> if it does not exist or the user does not see it.</summary>
    public async ValueTask<EntryLife?> LifeAsync(DashboardRequest request, long id)
    {
        var scope = request.Access.Scope;
        var life = await AskAsync(
            request, false, $"life {id} {request.Access.ScopeKey}", token => monitor.GetLifeAsync(id, scope, token)).ConfigureAwait(false);
        return life is null || scope is null ? life : Alone(life);
    }

    // Without what it says about entries beside it, about the machine and the login, and why others changed it together with other entries.
    private static EntryLife Alone(EntryLife life) => life with
    {
        Operations = [.. life.Operations.Select(static one => one with { Audit = one.Audit with { Reason = null } })],
        Events = [.. life.Events.Select(static one => one with { SessionUser = null })],
        Claim = life.Claim is { } claim ? claim with { Entries = 0 } : null,
        Runs = [.. life.Runs.Select(static run => run.BlackBox is { } box
            ? run with { BlackBox = box with { RanBeside = [], Vitals = null } }
            : run)],
    };

    public ValueTask<IReadOnlyList<RunLogLine>> LogAsync(DashboardRequest request, EntryLife seen)
        => AskAsync(request, false, $"log {seen.Entry.Id}", token => monitor.ListLogAsync(seen.Entry.Id, token));

    public ValueTask<string?> StepAsync(DashboardRequest request, EntryLife seen, string name)
        => AskAsync(request, false, $"step {seen.Entry.Id} {name}", token => monitor.GetStepResultAsync(seen.Entry.Id, name, token));

    public ValueTask<string?> CheckpointAsync(DashboardRequest request, EntryLife seen)
        => AskAsync(request, false, $"checkpoint {seen.Entry.Id}", token => monitor.GetCheckpointAsync(seen.Entry.Id, token));

    /// <summary>A list of entries. One that has to examine many entries counts as a search, of which a user runs one at a time.</summary>
    /// <param name="request">The request.</param>
    /// <param name="form">Which entries.</param>
    /// <param name="limit">How many entries the page has at most; <see langword="null"/> for as many as a page shows.</param>
    public ValueTask<EntrySummaryPage> EntriesAsync(DashboardRequest request, EntryForm form, int? limit = null)
    {
        LogSearch(request, form.DataConditions);
        var query = limit is { } most ? form.Query with { Limit = most } : form.Query;
        var question = $"entries {form.Address} {form.Before} {limit} {request.Access.ScopeKey}";
        return form.IsSearch
            ? SearchAsync(request, question, token => monitor.ListAsync(query, token))
            : AskAsync(request, form.IsCommon && limit is null, question, token => monitor.ListAsync(query, token));
    }

    /// <summary>Some entries of an operation by their ids, without those that do not exist, that the operation does not change because of
    /// its scope, or that the user does not see.</summary>
    public ValueTask<IReadOnlyList<EntrySummary>> SampleAsync(DashboardRequest request, BulkOperation operation, IReadOnlyList<long> ids)
    {
        var scope = request.Access.Scope ?? operation.Query?.Scope;
        return AskAsync(request, false, $"sample of ids {operation.Id} {operation.State} {request.Access.ScopeKey}", ReadAsync);

        async ValueTask<IReadOnlyList<EntrySummary>> ReadAsync(CancellationToken token)
        {
            var found = new List<EntrySummary>();
            foreach (var id in ids)
            {
                // A list of the one entry, which is less than its life.
                var query = new EntryQuery { Before = id + 1, Limit = 1, MaxExamined = 1, Scope = scope };
                var page = await monitor.Current.ListAsync(query, token).ConfigureAwait(false);
                found.AddRange(page.Entries.Where(entry => entry.Id == id));
            }

            return found;
        }
    }

    /// <summary>Prepares a bulk operation. To count what matches a query is a search, of which a user runs one at a time.</summary>
    public async ValueTask<OperationPreview> PreviewAsync(DashboardRequest request, BulkRequest bulk, AuditInfo audit)
    {
        if (bulk.Query is null)
        {
            return await operations.PreviewAsync(bulk, audit, request.Aborted).ConfigureAwait(false);
        }

        using var search = limit.Begin(request.Access.User);
        using var turn = await turns.BeginAsync(request.Access.User, request.Aborted).ConfigureAwait(false);
        return await operations.PreviewAsync(bulk, audit, request.Aborted).ConfigureAwait(false);
    }

    /// <summary>The newest entries of a prepared operation, also of those that a standby does not have yet.</summary>
    public ValueTask<EntrySummaryPage> SampleAsync(DashboardRequest request, long operation, EntryQuery query)
        => SearchAsync(request, $"sample {operation}", token => monitor.Current.ListAsync(query, token));

    /// <summary>How many entries there are of each group.</summary>
    /// <param name="request">The request.</param>
    /// <param name="form">Which entries.</param>
    /// <param name="by">How they are grouped.</param>
    /// <param name="newest">How many entries are examined at most; <see langword="null"/> for as many as a list examines.</param>
    public ValueTask<EntryGroups> GroupsAsync(DashboardRequest request, EntryForm form, EntryGrouping by, int? newest = null)
    {
        LogSearch(request, form.DataConditions);
        var query = newest is { } most ? form.Query with { MaxExamined = most } : form.Query;
        var question = $"groups {by} {newest} {form.Address} {request.Access.ScopeKey}";
        return form.IsSearch
            ? SearchAsync(request, question, token => monitor.GroupAsync(query, by, token))
            : AskAsync(request, form.IsCommon, question, token => monitor.GroupAsync(query, by, token));
    }

    /// <summary>The operations that the user sees.</summary>
    /// <param name="request">The request.</param>
    /// <param name="before">Only operations with smaller ids; <see langword="null"/> for the first page.</param>
    /// <param name="limit">How many operations the page has at most; <see langword="null"/> for as many as a page shows.</param>
    public ValueTask<OperationPage> OperationsAsync(DashboardRequest request, long? before, int? limit = null)
    {
        var query = new OperationQuery { Before = before, Limit = limit ?? OperationsPerPage };
        var access = request.Access;
        return access.Scope is null
            ? AskAsync(
                request, before is null && limit is null, $"operations {before} {query.Limit}",
                token => operations.ListOperationsAsync(query, token))
            : AskAsync(
                request, false, $"operations {before} {query.Limit} {access.ScopeKey}",
                token => SeenOnly.OperationsAsync(operations, query, access.SeesOperation, token));
    }

    /// <summary>An operation; <see langword="null"/> if it does not exist or the user does not see it.</summary>
    public ValueTask<BulkOperation?> OperationAsync(DashboardRequest request, long id)
    {
        var scope = request.Access.Scope;
        return AskAsync(
            request, false, $"operation {id} {request.Access.ScopeKey}", token => operations.FindOperationAsync(id, scope, token));
    }

    /// <summary>How many entries the undo of an operation would put back at most; <see langword="null"/> if it can't be undone.</summary>
    public async ValueTask<long?> LeftToUndoAsync(DashboardRequest request, BulkOperation operation)
    {
        if (operation is { State: OperationState.Running } or { Action: BulkAction.Undo } or { Done: 0 })
        {
            return null;
        }

        if (operation.UndoneBy is not { } undo)
        {
            return operation.Done;
        }

        // An undo that was stopped can be continued by another one.
        return await OperationAsync(request, undo).ConfigureAwait(false) is { State: OperationState.Stopped } stopped
            ? Math.Max(0, stopped.Expected.Value - stopped.Done - stopped.Refused)
            : null;
    }

    public ValueTask<OperationEntryPage> OperationEntriesAsync(DashboardRequest request, OperationEntryQuery query)
        => AskAsync(
            request, false, $"operation entries {query.OperationId} {query.OnlyRefused} {query.After} {query.Limit}",
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
