namespace TaskRecovery;

/// <summary>The store rejected a value, because it is too large or can't be represented. Retrying with the same value fails
/// again.</summary>
public sealed class ContentRefusedException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public ContentRefusedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
