using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>A session with the store, through which a node sends heartbeats and observes other nodes. Any exception means that the session
/// is broken: dispose it and open a new one.</summary>
/// <remarks>Calls block and have their own timeouts; the node's dedicated thread makes them. Observations of other nodes do not carry over
/// to the next session.</remarks>
[Experimental("TASKRECOVERY001")]
public interface INodeSession : IDisposable
{
    /// <summary>Registers this node life in the store and, if the store supports it, takes its session lock. A node of the same name that
    /// is proven to be gone is marked dead.</summary>
    NodeRegistration Register(NodeIdentity identity);

    /// <summary>Takes the session lock of a node that registered in an earlier session.</summary>
    /// <returns><see langword="false"/> if another session still holds the lock; try again with the next heartbeat.</returns>
    bool TryHold(Guid nodeId);

    /// <summary>Increments this node's heartbeat counter and reads those of the other nodes, in one round trip.</summary>
    /// <param name="nodeId">The id of this node.</param>
    /// <param name="holdsLock">Whether this session holds this node's lock.</param>
    /// <param name="isLeaseValid">Returns whether the lease deadline set by this node's last accepted heartbeat has not passed;
    /// <see langword="null"/> counts as passed. A store whose database does not order heartbeats and death verdicts calls it after the
    /// heartbeat, and also stores a late heartbeat in the database, where it is ordered with verdicts (docs/protocol,
    /// FILE_COUNTER).</param>
    HeartbeatResult SendHeartbeat(Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null);

    /// <summary>Declares nodes dead, irrevocably, each only if its heartbeat counter has not changed since it was judged. Takes one round
    /// trip for any number of nodes and does not wait for locks: a node in the middle of a claim is not declared dead by this call; if the
    /// store can, it terminates the session that keeps the claim open.</summary>
    /// <param name="judged">The nodes, each with the heartbeat counter on which the verdict is based.</param>
    /// <returns>The nodes that this call declared dead. The others have sent a heartbeat since, are already dead, or must be judged again
    /// at the next heartbeat.</returns>
    IReadOnlyList<Guid> MarkDead(IReadOnlyList<PeerHeartbeat> judged);

    /// <summary>Marks this node as stopped, so that no other node waits for its lease to expire. The next sweep releases its remaining work
    /// without counting a crash.</summary>
    void Leave(Guid nodeId);
}

/// <summary>The identity of a node.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record NodeIdentity
{
    /// <summary>A random id, new for each node life.</summary>
    public required Guid Id { get; init; }

    /// <summary>The name of the node.</summary>
    public required string Name { get; init; }

    /// <summary>Whether the application set the name. A name set by the application must not be shared by running processes.</summary>
    public required bool NameIsExplicit { get; init; }

    /// <summary>The machine (see <see cref="LocalProcess.Machine"/>).</summary>
    public required string Machine { get; init; }

    /// <summary>The process id.</summary>
    public required int ProcessId { get; init; }

    /// <summary>The start time of the process as <see cref="LocalProcess.Started"/> returns it. It distinguishes the process from a later
    /// one with the same id.</summary>
    public required long ProcessStarted { get; init; }
}

/// <summary>The result of a registration.</summary>
/// <param name="HoldsLock">Whether this session holds the node's lock.</param>
/// <param name="NameTaken">Whether a live node already has the name. This node is then registered without owning the name: it is still
/// shown with it, but no later node life takes over its work by name.</param>
/// <param name="TakenOver">The earlier node lives of the same name that were marked dead.</param>
[Experimental("TASKRECOVERY001")]
public sealed record NodeRegistration(bool HoldsLock, bool NameTaken, IReadOnlyList<Guid> TakenOver);

/// <summary>The result of a heartbeat.</summary>
/// <param name="Accepted"><see langword="false"/> if this node has been declared dead, has left or is unknown.</param>
/// <param name="Peers">The other nodes that are not dead.</param>
/// <param name="DeadWithClaims">Whether a dead node still has claims, so that a sweep is needed.</param>
[Experimental("TASKRECOVERY001")]
public sealed record HeartbeatResult(bool Accepted, IReadOnlyList<PeerHeartbeat> Peers, bool DeadWithClaims);

/// <summary>Another node, as observed by a heartbeat.</summary>
/// <param name="NodeId">The id of the node.</param>
/// <param name="Name">The name of the node.</param>
/// <param name="Heartbeat">The heartbeat counter of the node.</param>
/// <param name="SaysItHoldsLock">Whether the node held its lock, according to its last heartbeat.</param>
/// <param name="LockIsHeld">Whether the lock is held now.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct PeerHeartbeat(Guid NodeId, string Name, long Heartbeat, bool SaysItHoldsLock, bool LockIsHeld);
