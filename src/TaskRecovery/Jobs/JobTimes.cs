using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>Computes due times of a stored job, or says that this process can't.</summary>
internal static class JobTimes
{
    /// <summary>Computes due times. The values that a caller gave must be checked before, because their errors look like those of a
    /// stored schedule.</summary>
    /// <exception cref="JobUnplannableException">This process can't plan the job.</exception>
    public static T Compute<T>(Job job, Func<Job, T> compute)
    {
        try
        {
            return compute(job);
        }
        catch (Exception exception) when (UnplannableJob.IsProblem(exception))
        {
            throw Unplannable(job.Name, exception);
        }
    }

    /// <summary>Translates what the planning of a stored job threw.</summary>
    public static JobUnplannableException Unplannable(string jobName, Exception exception)
        => new(jobName, UnplannableJob.Of(jobName, exception).Problem, exception);
}
