namespace TaskRecovery;

/// <summary>What happens at host start if the store is not available.</summary>
public enum StartupMode
{
    /// <summary>The host starts. No entry is claimed until the store is available, and the health check reports the failure
    /// meanwhile.</summary>
    WaitForStore = 0,

    /// <summary>Starting the host fails.</summary>
    FailFast = 1,
}
