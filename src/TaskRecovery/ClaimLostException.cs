namespace TaskRecovery;

/// <summary>This node no longer holds the claim on an entry, so the store rejected the worker's write. The worker should stop.</summary>
public sealed class ClaimLostException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public ClaimLostException(long entryId, long fence, Exception? innerException = null)
        : base($"Entry {entryId} is no longer this node's under claim {fence}: it was given to another, or has ended. Nothing was stored; "
            + "stop working on it.", innerException)
    {
        EntryId = entryId;
        Fence = fence;
    }

    /// <summary>The id of the entry.</summary>
    public long EntryId { get; }

    /// <summary>The fence (claim id) of the claim that was lost.</summary>
    public long Fence { get; }
}
