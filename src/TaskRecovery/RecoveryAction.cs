namespace TaskRecovery;

/// <summary>What a recovery did with an entry or task.</summary>
public enum RecoveryAction
{
    /// <summary>The entry or task runs again.</summary>
    Recovered = 0,

    /// <summary>The entry or task was ended.</summary>
    Closed = 1,
}
