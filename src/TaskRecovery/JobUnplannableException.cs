namespace TaskRecovery;

/// <summary>The due times of a stored job can't be computed by this process: it does not know the time zone of the schedule, or the stored
/// schedule was edited by hand and can't be read. Another process may be able to plan the job.</summary>
public sealed class JobUnplannableException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public JobUnplannableException(string jobName, string problem, Exception? innerException = null)
        : base($"Job '{jobName}' can't be planned here: {problem}", innerException)
        => (JobName, Problem) = (jobName, problem);

    /// <summary>The name of the job.</summary>
    public string JobName { get; }

    /// <summary>Why it can't be planned.</summary>
    public string Problem { get; }
}
