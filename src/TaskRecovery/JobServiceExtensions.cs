namespace TaskRecovery;

/// <summary>Convenience overloads for <see cref="IJobService"/>.</summary>
public static class JobServiceExtensions
{
    /// <summary>Lists all jobs, ordered by name. They are read page by page and held in memory.</summary>
    /// <param name="jobs">The job service.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public static async Task<IReadOnlyList<Job>> ListAllAsync(this IJobService jobs, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        List<Job> all = [];
        var query = new JobQuery { Limit = 1_000 };
        JobPage page;
        do
        {
            page = await jobs.ListAsync(query, cancellationToken).ConfigureAwait(false);
            all.AddRange(page.Jobs);
            query = query with { After = page.NextAfter };
        }
        while (page.NextAfter is not null);

        return all;
    }

    /// <summary>Pauses a job without a reason, until it is resumed.</summary>
    /// <inheritdoc cref="IJobService.PauseAsync"/>
    public static Task<bool> PauseAsync(this IJobService jobs, Guid jobId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return jobs.PauseAsync(jobId, reason: null, actor: null, until: null, cancellationToken);
    }

    /// <summary>Enqueues a run of a job that is due now, under the job's own overlap policy.</summary>
    /// <inheritdoc cref="IJobService.TriggerNowAsync"/>
    public static Task<long> TriggerNowAsync(this IJobService jobs, Guid jobId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return jobs.TriggerNowAsync(jobId, overlap: null, cancellationToken);
    }
}
