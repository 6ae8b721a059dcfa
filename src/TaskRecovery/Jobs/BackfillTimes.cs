using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>Finds the due times of a backfill.</summary>
internal static class BackfillTimes
{
    private const int Most = 10_000;

    /// <summary>Finds the due times of a job in a range of the past.</summary>
    /// <exception cref="InvalidOperationException">The job does not exist, is paused, has ended, or runs once.</exception>
    /// <exception cref="ArgumentException">The range ends before it begins, begins before 1900, or has too many due times.</exception>
    /// <exception cref="JobUnplannableException">This process can't plan the job.</exception>
    public static async Task<List<DateTimeOffset>> FindAsync(
        IJobStore store, Guid jobId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        if (to < from)
        {
            throw new ArgumentException($"The range ends ({to:O}) before it begins ({from:O}); use a later end.", nameof(to));
        }

        if (from < JobRules.Earliest)
        {
            throw new ArgumentException(
                $"The range begins at {from:O}; use a time from {JobRules.Earliest:yyyy-MM-dd} on.", nameof(from));
        }

        if (await store.FindAsync(jobId, cancellationToken).ConfigureAwait(false)
            is not { State: JobState.Active, NextRunAt: { } next, Schedule.At: null } job)
        {
            throw new InvalidOperationException($"Job {jobId} can't be backfilled: there is no such job, or it is paused, has ended, "
                + "or runs once. Look at it with GetAsync.");
        }

        var dues = JobTimes.Compute(
            job, planned => JobRules.TimesOf(planned).Between(from, to < next ? to : next.AddTicks(-1), next, Most + 1));
        return dues.Count <= Most ? dues : throw new ArgumentException(
            $"The range from {from:O} to {to:O} has more than {Most:N0} due times of job '{job.Name}'; backfill it in parts.", nameof(to));
    }
}
