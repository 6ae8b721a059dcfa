namespace TaskRecovery.Dashboard.Pages;

/// <summary>Reads lists that the store can't restrict to a scope: page by page, until as many rows are found as the user sees. So a page is
/// full if there are more rows, and its cursor leaves none out.</summary>
internal static class SeenOnly
{
    /// <summary>The most rows that are read for one page.</summary>
    internal const int MaxRows = 5_000;

    private const int Chunk = 1_000;

    /// <summary>Tasks of some jobs.</summary>
    public static async ValueTask<TaskPage> TasksAsync(
        IQueueMonitor monitor, TaskQuery query, IReadOnlySet<Guid> jobs, CancellationToken cancellationToken)
    {
        var found = new List<TaskRecord>();
        var before = query.Before;
        for (var read = 0; read < MaxRows; read += Chunk)
        {
            var page = await monitor.ListTasksAsync(query with { Before = before, Limit = Chunk }, cancellationToken).ConfigureAwait(false);
            found.AddRange(page.Tasks.Where(task => jobs.Contains(task.JobId)));
            if (found.Count > query.Limit)
            {
                return new TaskPage(found[..query.Limit], found[query.Limit - 1].Id, IsComplete: false);
            }

            before = page.NextBefore;
            if (before is null)
            {
                return new TaskPage(found, null, IsComplete: true);
            }
        }

        return new TaskPage(found, before, IsComplete: false);
    }

    /// <summary>Operations that satisfy a condition.</summary>
    public static async ValueTask<OperationList> OperationsAsync(
        IQueueOperator operations, long? before, int limit, Func<BulkOperation, bool> isSeen, CancellationToken cancellationToken)
    {
        var found = new List<BulkOperation>();
        for (var read = 0; read < MaxRows; read += Chunk)
        {
            var page = await operations.ListOperationsAsync(before, Chunk, cancellationToken).ConfigureAwait(false);
            found.AddRange(page.Where(isSeen));
            if (found.Count > limit)
            {
                return new OperationList(found[..limit], found[limit - 1].Id);
            }

            if (page.Count < Chunk)
            {
                return new OperationList(found, null);
            }

            before = page[^1].Id;
        }

        return new OperationList(found, before);
    }
}
