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
        var (found, next) = await FillAsync<TaskRecord, Guid>(
            query.Before, query.Limit, ReadAsync, task => jobs.Contains(task.JobId), static task => task.Id).ConfigureAwait(false);
        return new TaskPage(found, next, IsComplete: next is null);

        async ValueTask<(IReadOnlyList<TaskRecord> Rows, Guid? Next)> ReadAsync(Guid? before)
        {
            var page = await monitor.ListTasksAsync(query with { Before = before, Limit = Chunk }, cancellationToken).ConfigureAwait(false);
            return (page.Tasks, page.NextBefore);
        }
    }

    /// <summary>Operations that satisfy a condition.</summary>
    public static async ValueTask<OperationList> OperationsAsync(
        IQueueOperator operations, long? before, int limit, Func<BulkOperation, bool> isSeen, CancellationToken cancellationToken)
    {
        var (found, next) = await FillAsync<BulkOperation, long>(
            before, limit, ReadAsync, isSeen, static operation => operation.Id).ConfigureAwait(false);
        return new OperationList(found, next);

        async ValueTask<(IReadOnlyList<BulkOperation> Rows, long? Next)> ReadAsync(long? from)
        {
            var page = await operations.ListOperationsAsync(from, Chunk, cancellationToken).ConfigureAwait(false);
            return (page, page.Count < Chunk ? null : page[^1].Id);
        }
    }

    private static async ValueTask<(IReadOnlyList<T> Found, TId? Next)> FillAsync<T, TId>(
        TId? before, int limit, Func<TId?, ValueTask<(IReadOnlyList<T> Rows, TId? Next)>> read, Func<T, bool> isSeen, Func<T, TId> id)
        where TId : struct
    {
        var found = new List<T>();
        for (var examined = 0; examined < MaxRows; examined += Chunk)
        {
            var (rows, next) = await read(before).ConfigureAwait(false);
            found.AddRange(rows.Where(isSeen));
            if (found.Count > limit)
            {
                return (found[..limit], id(found[limit - 1]));
            }

            if (next is null)
            {
                return (found, null);
            }

            before = next;
        }

        return (found, before);
    }
}
