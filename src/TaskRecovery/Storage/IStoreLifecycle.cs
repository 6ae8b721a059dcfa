using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The part of a queue store for its own life: its preparation, and the sessions of nodes.</summary>
[Experimental("TASKRECOVERY001")]
public interface IStoreLifecycle : IStorePart
{
    /// <summary>Checks that the store is available and its schema fits this library version. Applies migrations first if the options enable
    /// it.</summary>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Opens the dedicated session for a node's heartbeats. Blocks; called and used on the node's own thread.</summary>
    INodeSession OpenNodeSession();
}
