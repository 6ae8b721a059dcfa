namespace TaskRecovery;

/// <summary>The state of a task.</summary>
public enum TaskState
{
    /// <summary>The task has not started, or waits for its next attempt.</summary>
    Created = 0,

    /// <summary>A node is running the task.</summary>
    Running = 1,

    /// <summary>Ended successfully.</summary>
    Completed = 2,

    /// <summary>Ended without success.</summary>
    Failed = 3,

    /// <summary>Ended by a cancellation, or skipped.</summary>
    Cancelled = 4,
}
