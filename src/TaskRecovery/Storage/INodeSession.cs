using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>A session with the store, through which a node sends heartbeats and observes other nodes. Any exception means that the session
/// is broken: abort it and open a new one.</summary>
/// <remarks>Calls block and have their own timeouts; the node's dedicated thread makes them. Observations of other nodes do not carry over
/// to the next session.</remarks>
[Experimental("TASKRECOVERY001")]
public interface INodeSession : IDisposable
{
    /// <summary>Registers a node in the store and, if the store supports it, takes its session lock. A node of the same name that
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
    /// <param name="vitals">The state of this process as JSON, which is shown if the node dies; <see langword="null"/> for none. It must
    /// not make a heartbeat fail.</param>
    /// <param name="hints">What this node reports about hints, which the other nodes read with their heartbeats; <see langword="null"/>
    /// to change nothing. A store in which every node listens ignores it and returns no <see cref="HeartbeatResult.Place"/>.</param>
    HeartbeatResult SendHeartbeat(
        Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null, string? vitals = null, HintOffer? hints = null);

    /// <summary>As <see cref="SendHeartbeat"/>, but need not read the other nodes. A large fleet calls this between two calls of
    /// <see cref="SendHeartbeat"/>, because reading all nodes costs as much as there are nodes.</summary>
    /// <returns>As <see cref="SendHeartbeat"/>; if the other nodes were not read, without peers and
    /// <see cref="HeartbeatResult.HasPeers"/>.</returns>
    HeartbeatResult SendHeartbeatOnly(
        Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null, string? vitals = null, HintOffer? hints = null)
        => SendHeartbeat(nodeId, holdsLock, isLeaseValid, vitals, hints);

    /// <summary>Declares nodes dead, irrevocably, each only if its heartbeat counter has not changed since it was judged. Takes as many
    /// round trips for several nodes as for one, and does not wait for locks: a node in the middle of a claim or a heartbeat is not
    /// declared dead by this call; if the store can, it terminates the session that keeps the claim open.</summary>
    /// <param name="judged">The nodes, each with the heartbeat counter and the proof on which the verdict is based.</param>
    /// <param name="judge">The name of this node, for the record of the verdict.</param>
    /// <returns>The nodes that this call declared dead. The others have sent a heartbeat since, are already dead, or must be judged again
    /// at the next heartbeat.</returns>
    IReadOnlyList<Guid> MarkDead(IReadOnlyList<PeerHeartbeat> judged, string? judge = null);

    /// <summary>Marks this node as stopped, so that no other node waits for its lease to expire. The next sweep releases its remaining work
    /// without counting a crash.</summary>
    void Leave(Guid nodeId);

    /// <summary>Closes the session after an error, although the process continues to be the node. If a free lock proves a death, the store
    /// keeps the node's lock for the next session of this process.</summary>
    void Abort() => Dispose();
}
