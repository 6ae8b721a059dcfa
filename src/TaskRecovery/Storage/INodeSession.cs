using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The unbroken session that a node beats on and watches others through. Any exception from it means that it is over: dispose of it and open a new one.</summary>
/// <remarks>Blocking, with timeouts of its own: it lives on the node's own thread. What was seen in one session says nothing about the next.</remarks>
[Experimental("TASKRECOVERY001")]
public interface INodeSession : IDisposable
{
    /// <summary>Writes this life of the process into the store, takes its session lock where the store has them, and marks a namesake dead that is proven to be gone.</summary>
    NodeRegistration Register(NodeIdentity identity);

    /// <summary>Takes the session lock of a node that registered in an earlier session.</summary>
    /// <returns><see langword="false"/> if another session still holds it; ask again with the next heartbeat.</returns>
    bool TryHold(Guid nodeId);

    /// <summary>Raises this node's counter and reads the others', in one round trip.</summary>
    /// <param name="nodeId">This node.</param>
    /// <param name="holdsLock">Whether this very session holds this node's lock.</param>
    /// <param name="isLeaseValid">Whether the node's own deadline, as its last accepted heartbeat set it, has not passed; <see langword="null"/> counts as passed. A store whose
    /// heartbeats and verdicts are not ordered by the database asks this when the heartbeat is done, and stores one that came too late where a verdict would be found
    /// (docs/protocol, FILE_COUNTER).</param>
    HeartbeatResult SendHeartbeat(Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null);

    /// <summary>Declares nodes dead, once and for all, each if its counter is still the one it was judged by. In one round trip, however many they are, and without waiting: a node that
    /// is in the middle of a claim is not declared dead now, and what keeps its claim open is ended where the store can do that.</summary>
    /// <param name="judged">The nodes, each with the counter it was judged by.</param>
    /// <returns>Those that this call declared dead. The others have beaten since, are dead already, or are to be judged again with the next heartbeat.</returns>
    IReadOnlyList<Guid> MarkDead(IReadOnlyList<PeerHeartbeat> judged);

    /// <summary>Says that this node has stopped, so that nobody has to wait for its lease. Work that it left behind is released by the next sweep, without a crash.</summary>
    void Leave(Guid nodeId);
}

/// <summary>Who a node is.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record NodeIdentity
{
    /// <summary>A random id, new for each life.</summary>
    public required Guid Id { get; init; }

    /// <summary>Its label.</summary>
    public required string Name { get; init; }

    /// <summary>Whether the name was given by the user, who promises that it names one process.</summary>
    public required bool NameIsExplicit { get; init; }

    /// <summary>The machine.</summary>
    public required string Machine { get; init; }

    /// <summary>The process id.</summary>
    public required int ProcessId { get; init; }

    /// <summary>What <see cref="LocalProcess.Started"/> says of the process; tells it from a later one with the same id.</summary>
    public required long ProcessStarted { get; init; }
}

/// <summary>What came of a registration.</summary>
/// <param name="HoldsLock">This session holds the node's lock.</param>
/// <param name="NameTaken">A living node has this name: this one has joined without it. The name stays its label, but no later life takes over from it.</param>
/// <param name="TakenOver">The previous lives of the same name that were marked dead.</param>
[Experimental("TASKRECOVERY001")]
public sealed record NodeRegistration(bool HoldsLock, bool NameTaken, IReadOnlyList<Guid> TakenOver);

/// <summary>What a heartbeat brought.</summary>
/// <param name="Accepted"><see langword="false"/> if this node has been declared dead, has left, or is not known.</param>
/// <param name="Peers">The other nodes that are not dead.</param>
/// <param name="DeadWithClaims">Whether some dead node still has claims, so that a sweep is due.</param>
[Experimental("TASKRECOVERY001")]
public sealed record HeartbeatResult(bool Accepted, IReadOnlyList<PeerHeartbeat> Peers, bool DeadWithClaims);

/// <summary>Another node as one heartbeat saw it.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Name">Its label.</param>
/// <param name="Heartbeat">Its counter.</param>
/// <param name="SaysItHoldsLock">What its last heartbeat said of its lock.</param>
/// <param name="LockIsHeld">Whether the lock is held at this moment.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct PeerHeartbeat(Guid NodeId, string Name, long Heartbeat, bool SaysItHoldsLock, bool LockIsHeld);
