namespace TaskRecovery.Testing.Scripts;

/// <summary>One operation of a script.</summary>
public enum ScriptOperation
{
    /// <summary>A step with an effect.</summary>
    Step = 0,

    /// <summary>An effect outside a step.</summary>
    Effect,

    /// <summary>Adds one to the checkpoint.</summary>
    Checkpoint,

    /// <summary>Throws in the first attempt.</summary>
    ThrowOnce,

    /// <summary>Removes the steps and the checkpoint in the second attempt.</summary>
    Reset,

    /// <summary>Returns with a result. The first of the operations that end a script.</summary>
    Complete,

    /// <summary>Fails for good.</summary>
    Fail,

    /// <summary>Throws in every attempt.</summary>
    Throw,

    /// <summary>Cancels the entry.</summary>
    Cancel,
}
