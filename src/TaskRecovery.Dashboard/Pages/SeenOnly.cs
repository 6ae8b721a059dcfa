namespace TaskRecovery.Dashboard.Pages;

/// <summary>Reads lists that the store can't restrict to a scope: page by page, until as many rows are found as the user sees. So a page is
/// full if there are more rows, and its cursor skips none.</summary>
internal static class SeenOnly
{
    /// <summary>The most rows that are read for one page.</summary>
    internal const int MaxRows = 5_000;

    private const int Chunk = 1_000;

    /// <summary>Jobs that satisfy a condition, ordered by name. The next page begins after the job with the id
    /// <see cref="JobPage.NextAfter"/>: its name may be one that the user must not see. With <see cref="JobQuery.NameContains"/>,
    /// it says only that there may be other jobs, because the last name that was compared may be of no job of the page.</summary>
    public static async ValueTask<JobPage> JobsAsync(
        IQueueMonitor monitor, JobQuery query, Func<Job, bool> isSeen, CancellationToken cancellationToken)
    {
        var start = query.After is { } name ? new JobPlace(name, default) : null;
        var (found, next) = await FillAsync<Job, JobPlace?>(
            start, query.Limit, ReadAsync, static job => new JobPlace(job.Name, job.Id)).ConfigureAwait(false);
        return new JobPage(found, next?.Id.ToString());

        async ValueTask<(IReadOnlyList<Job> Seen, JobPlace? Next)> ReadAsync(JobPlace? from)
        {
            var page = await monitor.ListJobsAsync(
                query with { After = from?.Name, Limit = Chunk }, cancellationToken).ConfigureAwait(false);
            return (
                [.. page.Jobs.Where(isSeen)],
                page.NextAfter is { } place ? new JobPlace(place, page.Jobs is [.., var last] ? last.Id : default) : null);
        }
    }

    /// <summary>Tasks whose job satisfies a condition.</summary>
    public static async ValueTask<TaskPage> TasksAsync(
        IQueueMonitor monitor, TaskQuery query, JobLookup jobs, Func<Job, bool> isSeen, CancellationToken cancellationToken)
    {
        var (found, next) = await FillAsync<TaskRecord, Guid?>(
            query.Before, query.Limit, ReadAsync, static task => task.Id).ConfigureAwait(false);
        return new TaskPage(found, next, IsComplete: next is null);

        async ValueTask<(IReadOnlyList<TaskRecord> Seen, Guid? Next)> ReadAsync(Guid? before)
        {
            var page = await monitor.ListTasksAsync(query with { Before = before, Limit = Chunk }, cancellationToken).ConfigureAwait(false);
            await jobs.LoadAsync(page.Tasks.Select(static task => task.JobId), cancellationToken).ConfigureAwait(false);
            return ([.. page.Tasks.Where(task => jobs.Find(task.JobId) is { } job && isSeen(job))], page.NextBefore);
        }
    }

    /// <summary>Operations that satisfy a condition.</summary>
    public static async ValueTask<OperationPage> OperationsAsync(
        IQueueOperator operations, OperationQuery query, Func<BulkOperation, bool> isSeen, CancellationToken cancellationToken)
    {
        var (found, next) = await FillAsync<BulkOperation, long?>(
            query.Before, query.Limit, ReadAsync, static operation => operation.Id).ConfigureAwait(false);
        return new OperationPage(found, next);

        async ValueTask<(IReadOnlyList<BulkOperation> Seen, long? Next)> ReadAsync(long? before)
        {
            var page = await operations.ListOperationsAsync(query with { Before = before, Limit = Chunk }, cancellationToken)
                .ConfigureAwait(false);
            return ([.. page.Operations.Where(isSeen)], page.NextBefore);
        }
    }

    /// <summary>Reads until a page is full, the list ends, or enough was examined.</summary>
    /// <param name="from">Where the page begins.</param>
    /// <param name="limit">How many rows the page has at most.</param>
    /// <param name="read">Reads the rows that the user sees among the next ones, and where those after them begin;
    /// <see langword="null"/> at the end.</param>
    /// <param name="cursor">Where the rows after a row begin.</param>
    private static async ValueTask<(IReadOnlyList<T> Found, TCursor Next)> FillAsync<T, TCursor>(
        TCursor from, int limit, Func<TCursor, ValueTask<(IReadOnlyList<T> Seen, TCursor Next)>> read, Func<T, TCursor> cursor)
    {
        var found = new List<T>();
        for (var examined = 0; examined < MaxRows; examined += Chunk)
        {
            var (seen, next) = await read(from).ConfigureAwait(false);
            found.AddRange(seen);
            if (found.Count > limit)
            {
                return (found[..limit], cursor(found[limit - 1]));
            }

            from = next;
            if (next is null)
            {
                break;
            }
        }

        return (found, from);
    }

    private sealed record JobPlace(string Name, Guid Id);
}
