using System.Text;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Security;
using TaskRecovery.Storage;

namespace TaskRecovery.Dashboard.Pages;

/// <content>Jobs and their tasks. No read depends on how many jobs there are.</content>
internal sealed partial class Reads
{
    /// <summary>How many jobs a page lists.</summary>
    public const int JobsPerPage = 50;

    // The read model refuses a search for a longer text, and no name is as long.
    private const int MaxSearchedBytes = 1_000;

    /// <summary>One page of the jobs that the user sees, ordered by name, without their arguments.</summary>
    /// <param name="request">The request.</param>
    /// <param name="after">The <see cref="JobPage.NextAfter"/> of the page before; <see langword="null"/> for the first page.</param>
    /// <param name="limit">How many jobs the page has at most; <see langword="null"/> for as many as a page shows.</param>
    public async ValueTask<JobPage> JobsAsync(DashboardRequest request, string? after, int? limit = null)
    {
        var access = request.Access;
        var query = new JobQuery { After = after, Limit = limit ?? JobsPerPage };
        return !access.SeesJobs ? new JobPage([], null) : await AskAsync(
            request, access.Scope is null && after is null && limit is null,
            $"jobs {query.Limit} {after?.Length} {after} {access.ScopeKey}",
            token => SeenJobsAsync(access, query, token)).ConfigureAwait(false);
    }

    // The page of a user with a scope says with an id where the next one begins, because the name may be that of a job that the user does
    // not see. So an id is looked up without the scope. Another text is a name.
    private async ValueTask<JobPage> SeenJobsAsync(Access access, JobQuery query, CancellationToken cancellationToken)
    {
        if (access.Scope is null)
        {
            return await monitor.ListJobsAsync(query, cancellationToken).ConfigureAwait(false);
        }

        if (Guid.TryParse(query.After, out var id))
        {
            query = await monitor.FindJobsAsync([id], cancellationToken).ConfigureAwait(false) is [var last]
                ? query with { After = last.Name }
                : throw new ArgumentException(
                    "after: the job at which the page before ended was deleted meanwhile. Begin again, without after.", nameof(query));
        }

        return await SeenOnly.JobsAsync(monitor, query, access.SeesJob, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Jobs that the user sees and whose name contains a text.</summary>
    /// <param name="request">The request.</param>
    /// <param name="text">The text.</param>
    /// <param name="limit">How many jobs are returned at most.</param>
    /// <returns>The jobs. If there are fewer than <paramref name="limit"/> although <see cref="JobPage.NextAfter"/> says that there may be
    /// others, not all names were compared. A job whose name is the whole text is found in any case.</returns>
    public async ValueTask<JobPage> JobsNamedAsync(DashboardRequest request, string text, int limit)
    {
        var access = request.Access;
        var mayBeInName = Encoding.UTF8.GetByteCount(text) <= MaxSearchedBytes;
        return !access.SeesJobs || !mayBeInName ? new JobPage([], null) : await AskAsync(
            request, false, $"jobs named {limit} {text.Length} {text} {access.ScopeKey}", ReadAsync).ConfigureAwait(false);

        async ValueTask<JobPage> ReadAsync(CancellationToken token)
        {
            var page = await SeenJobsAsync(access, new JobQuery { NameContains = text, Limit = limit }, token).ConfigureAwait(false);
            return page.NextAfter is not null && page.Jobs.All(job => job.Name != text)
                && await jobs.GetByNameAsync(text, token).ConfigureAwait(false) is { } named && access.SeesJob(named)
                ? page with { Jobs = [named, .. page.Jobs.Take(limit - 1)] }
                : page;
        }
    }

    /// <summary>A job; <see langword="null"/> if it does not exist or the user does not see it.</summary>
    public async ValueTask<Job?> JobAsync(DashboardRequest request, Guid id)
    {
        var job = await AskAsync(
            request, false, $"job {id}", async token => await jobs.GetAsync(id, token).ConfigureAwait(false)).ConfigureAwait(false);
        return job is not null && request.Access.SeesJob(job) ? job : null;
    }

    /// <summary>Whether the user sees a job.</summary>
    public async ValueTask<bool> SeesJobAsync(DashboardRequest request, Guid id)
        => request.Access.Scope is null || await JobAsync(request, id).ConfigureAwait(false) is not null;

    /// <summary>The times of the next runs of a job; <see langword="null"/> if this machine can't plan it.</summary>
    public async ValueTask<IReadOnlyList<DateTimeOffset>?> NextRunsAsync(DashboardRequest request, Job seen, int count)
    {
        try
        {
            return await AskAsync(
                request, false, $"next runs {count} {seen.Id}",
                async token => await jobs.GetNextRunsAsync(seen.Id, count, token).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (JobUnplannableException)
        {
            // The page says so. It is read every few seconds, and the nodes have logged it.
            return null;
        }
    }

    /// <summary>Tasks of the jobs that the user sees, with these jobs.</summary>
    public async ValueTask<TaskList> TasksAsync(DashboardRequest request, TaskQuery query)
    {
        var access = request.Access;
        if (!access.SeesJobs || (query.JobId is { } of && !await SeesJobAsync(request, of).ConfigureAwait(false)))
        {
            return new TaskList(new TaskPage([], null, IsComplete: true), new Dictionary<Guid, Job>());
        }

        return await AskAsync(
            request, access.Scope is null && query is { JobId: null, Before: null, Limit: 50 or 100 },
            $"tasks {query.JobId} {query.State} {query.Before} {query.Limit} {access.ScopeKey}", ReadAsync).ConfigureAwait(false);

        async ValueTask<TaskList> ReadAsync(CancellationToken token)
        {
            var lookup = new JobLookup(monitor);
            var page = access.Scope is null || query.JobId is not null
                ? await monitor.ListTasksAsync(query, token).ConfigureAwait(false)
                : await SeenOnly.TasksAsync(monitor, query, lookup, access.SeesJob, token).ConfigureAwait(false);
            return new TaskList(
                page, await lookup.FindAllAsync(page.Tasks.Select(static task => task.JobId), token).ConfigureAwait(false));
        }
    }

    /// <summary>The last tasks of each job of a page.</summary>
    /// <param name="request">The request.</param>
    /// <param name="page">The page, as the user sees it.</param>
    /// <param name="isFirst">Whether it is the first page.</param>
    /// <param name="limit">How many tasks of each job.</param>
    public ValueTask<IReadOnlyList<TaskRecord>> LastTasksAsync(DashboardRequest request, JobPage page, bool isFirst, int limit)
    {
        Guid[] ids = [.. page.Jobs.Select(static job => job.Id)];
        return AskAsync(
            request, request.Access.Scope is null && isFirst, $"last tasks {limit} {string.Join(' ', ids)}",
            token => monitor.ListLastTasksAsync(new LastTasksQuery { JobIds = ids, Limit = limit }, token));
    }

    /// <summary>The jobs of the first page that are active and do not run: without a planned run, or with one that has been due for long
    /// although no earlier run is unfinished.</summary>
    public async ValueTask<IReadOnlyList<Job>> OverdueJobsAsync(DashboardRequest request, JobPage first, DateTimeOffset now)
    {
        List<Job> overdue = [.. first.Jobs.Where(job => OverdueJob.MayBe(job, now))];
        if (overdue.Count == 0)
        {
            return overdue;
        }

        var tasks = await LastTasksAsync(request, first, isFirst: true, OverdueRuns.LastTasks).ConfigureAwait(false);
        return OverdueRuns.WithoutBusy(overdue, tasks);
    }

    /// <summary>A task; <see langword="null"/> if it does not exist or the user does not see its job.</summary>
    public ValueTask<TaskRecord?> TaskAsync(DashboardRequest request, Guid id)
    {
        var scope = request.Access.Scope;
        return AskAsync(request, false, $"task {id} {request.Access.ScopeKey}", token => monitor.FindTaskAsync(id, scope, token));
    }
}
