namespace TaskRecovery;

/// <summary>The store can't be reached, or did not confirm a write. The error is transient: retrying later may succeed.</summary>
public sealed class StoreUnavailableException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public StoreUnavailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>Whether the call waited in vain for a transaction that this process itself has open, and nothing of the call was stored. If
    /// it is the caller's own transaction, retrying does not help: pass it to the call. A handler that fails with this error spends an
    /// attempt. SQLite reports it for its write lock, on Linux only. PostgreSQL reports it for a unique key, if a transaction is open that
    /// was passed to an earlier call of the same method.</summary>
    /// <value>Default: <see langword="false"/>, also if it is unknown what the call waited for.</value>
    public bool IsHeldByThisProcess { get; init; }

    /// <summary>Whether the call gave up because a row stayed locked by another transaction. The transaction in which the call waited has
    /// stored nothing. A repetition succeeds once the other transaction has ended. Only PostgreSQL reports it.</summary>
    /// <value>Default: <see langword="false"/>, also if it is unknown what the call waited for.</value>
    public bool IsLockTimeout { get; init; }

    /// <summary>Whether the call waited in vain for a unique key, and nothing of it was stored.</summary>
    internal bool WaitedForKey { get; init; }
}
