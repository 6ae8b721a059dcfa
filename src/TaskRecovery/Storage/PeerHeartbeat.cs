using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Another node, as observed by a heartbeat.</summary>
/// <param name="NodeId">The id of the node.</param>
/// <param name="Name">The name of the node.</param>
/// <param name="Heartbeat">The heartbeat counter of the node.</param>
/// <param name="SaysItHoldsLock">Whether the node held its lock, according to its last heartbeat.</param>
/// <param name="LockIsHeld">Whether the lock is held now.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct PeerHeartbeat(Guid NodeId, string Name, long Heartbeat, bool SaysItHoldsLock, bool LockIsHeld)
{
    /// <summary>If the node is judged dead: what proves it.</summary>
    public DeathProof Proof { get; init; }

    /// <summary>The node's place among those that listen for hints; <see langword="null"/> if it reported none.</summary>
    public HintPlace? Place { get; init; }
}
