namespace TaskRecovery.Testing;

/// <summary>Where <c>CrashEverywhereAsync</c> crashes a run.</summary>
public enum CrashPlaces
{
    /// <summary>At the start and the end of the handler, before and after each step, after each checkpoint, and around the other calls that
    /// store something. A handler whose effects are all in steps survives these.</summary>
    BetweenSteps = 0,

    /// <summary>Also where an effect has happened and is not recorded yet: after a step's delegate has returned and before its result is
    /// stored, and before each checkpoint. Survives only if these effects are idempotent.</summary>
    All = 1,
}
