using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The result of a heartbeat.</summary>
/// <param name="Accepted"><see langword="false"/> if this node has been declared dead, has left or is unknown.</param>
/// <param name="Peers">The other nodes that are not dead.</param>
/// <param name="DeadWithClaims">Whether a dead node still has claims, so that a sweep is needed.</param>
[Experimental("TASKRECOVERY001")]
public sealed record HeartbeatResult(bool Accepted, IReadOnlyList<PeerHeartbeat> Peers, bool DeadWithClaims)
{
    /// <summary>Whether the other nodes were read. If not, <see cref="Peers"/> is empty.</summary>
    public bool HasPeers { get; init; } = true;

    /// <summary>This node's place among those that listen for hints; <see langword="null"/> if every node of the store listens.</summary>
    public HintPlace? Place { get; init; }
}
