namespace TaskRecovery;

/// <summary>The state of a job.</summary>
public enum JobState
{
    /// <summary>The job runs when it is due.</summary>
    Active = 0,

    /// <summary>The job does not run. It keeps its place on the schedule.</summary>
    Paused = 1,

    /// <summary>The single run of the job has started, so no further run is planned.</summary>
    Ended = 2,
}
