namespace TaskRecovery;

/// <summary>The base of this library's own exceptions.</summary>
public class TaskRecoveryException : Exception
{
    /// <summary>Creates one.</summary>
    public TaskRecoveryException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>The store can't be reached, or did not confirm a write. Trying again later may help.</summary>
public sealed class StoreUnavailableException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public StoreUnavailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>The store is there but can't be used as it is: a wrong schema, a newer version, missing rights. The message says what to do.</summary>
public sealed class StoreConfigurationException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public StoreConfigurationException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>The store is there and refused a value itself, because it is too large or can't be held. The same value is refused again.</summary>
public sealed class ContentRefusedException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public ContentRefusedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>An entry's claim is not this node's any more: what the worker tried to store was refused.</summary>
public sealed class ClaimLostException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public ClaimLostException(long entryId, long fence, Exception? innerException = null)
        : base($"Entry {entryId} is no longer this node's under claim {fence}: it was given to another, or has ended. Nothing was stored; stop working on it.", innerException)
    {
        EntryId = entryId;
        Fence = fence;
    }

    /// <summary>The entry.</summary>
    public long EntryId { get; }

    /// <summary>The claim that was lost.</summary>
    public long Fence { get; }
}

/// <summary>No kind is registered for an arguments type.</summary>
public sealed class KindNotRegisteredException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public KindNotRegisteredException(Type argsType)
        : base($"No kind is registered for {argsType}. Call AddWorker<{argsType?.Name}, TWorker>() where it is worked, or AddKind<{argsType?.Name}>() where it is only enqueued.")
        => ArgsType = argsType!;

    /// <summary>The type.</summary>
    public Type ArgsType { get; }
}
