namespace TaskRecovery;

/// <summary>Convenience overloads for <see cref="IJobService"/>.</summary>
public static class JobServiceExtensions
{
    /// <summary>Pauses a job without a reason, until it is resumed.</summary>
    /// <inheritdoc cref="IJobService.PauseAsync"/>
    public static Task<bool> PauseAsync(this IJobService jobs, Guid jobId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return jobs.PauseAsync(jobId, reason: null, by: null, until: null, cancellationToken);
    }

    /// <summary>Enqueues a run of a job that is due now, under the job's own overlap policy.</summary>
    /// <inheritdoc cref="IJobService.TriggerNowAsync"/>
    public static Task<long> TriggerNowAsync(this IJobService jobs, Guid jobId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return jobs.TriggerNowAsync(jobId, overlap: null, cancellationToken);
    }
}
