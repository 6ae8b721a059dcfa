using TaskRecovery.Storage;

namespace TaskRecovery;

/// <summary>The store can be reached but not used, for example because its schema is missing or too new, or permissions are missing.
/// Retrying does not help; the message says what to do.</summary>
public sealed class StoreConfigurationException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public StoreConfigurationException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>The store whose call failed, if a run or the queue called it; <see langword="null"/> otherwise.</summary>
    internal IEntryStore? Store { get; set; }
}
