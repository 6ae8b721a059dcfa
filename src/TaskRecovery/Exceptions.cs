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

/// <summary>The store can't be reached, or did not confirm a write. The error is transient: retrying later may succeed.</summary>
public sealed class StoreUnavailableException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public StoreUnavailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>The store can be reached but not used, for example because its schema is missing or too new, or permissions are missing.
/// Retrying does not help; the message says what to do.</summary>
public sealed class StoreConfigurationException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public StoreConfigurationException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

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

/// <summary>This node no longer holds the claim on an entry, so the store rejected the worker's write. The worker should stop.</summary>
public sealed class ClaimLostException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public ClaimLostException(long entryId, long fence, Exception? innerException = null)
        : base($"Entry {entryId} is no longer this node's under claim {fence}: it was given to another, or has ended. Nothing was stored; stop working on it.", innerException)
    {
        EntryId = entryId;
        Fence = fence;
    }

    /// <summary>The id of the entry.</summary>
    public long EntryId { get; }

    /// <summary>The fence (claim id) of the claim that was lost.</summary>
    public long Fence { get; }
}

/// <summary>No kind is registered for an arguments type. Register it with <c>AddWorker</c>, or with <c>AddKind</c> in a process that only
/// enqueues.</summary>
public sealed class KindNotRegisteredException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public KindNotRegisteredException(Type argsType)
        : base($"No kind is registered for {argsType}. Call AddWorker<{argsType?.Name}, TWorker>() where it is worked, or AddKind<{argsType?.Name}>() where it is only enqueued.")
        => ArgsType = argsType!;

    /// <summary>The arguments type.</summary>
    public Type ArgsType { get; }
}
