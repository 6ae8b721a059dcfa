namespace TaskRecovery.Testing;

/// <summary>An expectation of a test was not met. Every test framework reports it as a failure; the message shows what was there
/// instead.</summary>
public sealed class TestFailedException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public TestFailedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
