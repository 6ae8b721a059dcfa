namespace TaskRecovery.Workers;

/// <summary>A place in a run, between two calls of the library.</summary>
internal enum RunPlace
{
    /// <summary>The handler is about to be called.</summary>
    Start = 0,

    /// <summary>A step was finished by an earlier run. Its stored result is about to be returned.</summary>
    StepFound,

    /// <summary>A step's delegate is about to be called.</summary>
    StepBegins,

    /// <summary>A step's delegate has returned, and its result is not stored.</summary>
    StepReturned,

    /// <summary>A step's result is stored.</summary>
    StepStored,

    /// <summary>A checkpoint is about to be stored.</summary>
    CheckpointBegins,

    /// <summary>A checkpoint is stored.</summary>
    CheckpointStored,

    /// <summary>Steps and checkpoint are about to be removed.</summary>
    ResetBegins,

    /// <summary>Steps and checkpoint are removed.</summary>
    ResetStored,

    /// <summary>The outcome is about to be written in the worker's own transaction.</summary>
    CompleteBegins,

    /// <summary>The outcome is written in the worker's own transaction, which is not committed yet.</summary>
    CompleteWritten,

    /// <summary>The handler has returned, and the outcome is not stored.</summary>
    End,

    /// <summary>The handler has thrown an exception, and the outcome is not stored.</summary>
    Thrown,
}
