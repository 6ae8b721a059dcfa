namespace TaskRecovery;

/// <summary>The state of a job.</summary>
public enum JobState
{
    /// <summary>The job runs when it is due.</summary>
    Active = 0,

    /// <summary>The job does not run. It keeps its place on the schedule.</summary>
    Paused = 1,

    /// <summary>No further run is planned: the single run of the job has started, or its end has passed.</summary>
    Ended = 2,
}
