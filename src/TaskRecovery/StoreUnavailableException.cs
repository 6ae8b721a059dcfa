namespace TaskRecovery;

/// <summary>The store can't be reached, or did not confirm a write. The error is transient: retrying later may succeed.</summary>
public sealed class StoreUnavailableException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public StoreUnavailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
