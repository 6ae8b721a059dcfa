namespace TaskRecovery.Testing;

/// <summary>When the entries of an application under test run.</summary>
public enum TestRunning
{
    /// <summary>Only when the test says so, with <see cref="TaskRecoveryTest.DrainAsync"/> and its siblings. No background loop
    /// runs.</summary>
    Manual = 0,

    /// <summary>As in production, in the background.</summary>
    Automatic = 1,
}
