namespace TaskRecovery;

/// <summary>The base class of this library's exceptions.</summary>
public class TaskRecoveryException : Exception
{
    /// <summary>Creates one.</summary>
    public TaskRecoveryException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
