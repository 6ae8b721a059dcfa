namespace TaskRecovery;

/// <summary>The parts of an entry, a task or a job that are the application's data.</summary>
public enum DashboardPart
{
    /// <summary>The arguments, as JSON.</summary>
    Args = 0,

    /// <summary>The result, as JSON.</summary>
    Result = 1,

    /// <summary>The result of a step, as JSON.</summary>
    Step = 2,

    /// <summary>The checkpoint, as JSON.</summary>
    Checkpoint = 3,

    /// <summary>One value of the metadata.</summary>
    Metadata = 4,

    /// <summary>The unique key.</summary>
    UniqueKey = 5,

    /// <summary>An error, or the reason that a worker gave.</summary>
    Error = 6,

    /// <summary>A line that a run wrote to its log, or the note of its progress.</summary>
    Log = 7,

    /// <summary>The name of a step.</summary>
    StepName = 8,
}
