using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>Decides which peers are dead, from the observations of one uninterrupted session. Pure: times are parameters, and each new
/// session needs a new detector.</summary>
/// <param name="traits">What a free lock means in this store.</param>
/// <param name="lease">How long a peer may be silent.</param>
/// <param name="grace">How long a peer may be silent once its lock is free.</param>
/// <param name="ticksPerSecond">The frequency of the timestamps.</param>
internal sealed class PeerFailureDetector(StoreTraits traits, TimeSpan lease, TimeSpan grace, long ticksPerSecond)
{
    private readonly long _lease = (long)(lease.TotalSeconds * ticksPerSecond);
    private readonly long _grace = (long)(grace.TotalSeconds * ticksPerSecond);
    private Dictionary<Guid, Seen> _peers = [];
    private long? _lastAnswer;

    /// <summary>How many peers the last heartbeat returned.</summary>
    public int Count => _peers.Count;

    /// <summary>Evaluates the peers that a heartbeat returned.</summary>
    /// <param name="sent">When the heartbeat was sent: its answer is at least this recent.</param>
    /// <param name="answered">When its answer arrived: a counter that it returned for the first time was raised before this.</param>
    /// <param name="peers">The other nodes that are not marked dead.</param>
    /// <returns>The peers to declare dead, each with the counter on which the decision is based.</returns>
    public IReadOnlyList<DeathVerdict> Observe(long sent, long answered, IReadOnlyList<PeerHeartbeat> peers)
    {
        // If this process was suspended, or the heartbeat took as long as a peer may stay silent, this node was not watching. Restart every
        // peer's silence timer.
        var watched = _lastAnswer is { } last && answered - last < Math.Max(_grace, _lease / 3);

        // A peer that was absent at this session's previous heartbeat has registered since, on the running server, so it held its lock at
        // that time if it reports one. SQLite may omit a living peer too while too many files are open, but a free lock alone proves its
        // death there, so this is not asked.
        var newPeersHeldTheirLock = _lastAnswer is not null;
        _lastAnswer = answered;

        List<DeathVerdict>? dead = null;
        var now = new Dictionary<Guid, Seen>(peers.Count);
        foreach (var peer in peers)
        {
            var seen = _peers.TryGetValue(peer.NodeId, out var before)
                ? before with
                {
                    Since = watched && before.Heartbeat == peer.Heartbeat ? before.Since : answered,
                    LockSeenHeld = before.LockSeenHeld || peer.LockIsHeld,
                }
                : new Seen(peer.Heartbeat, answered, newPeersHeldTheirLock || peer.LockIsHeld, long.MaxValue);
            seen = seen with { Heartbeat = peer.Heartbeat, DueAt = DueAt(peer, seen) };
            now.Add(peer.NodeId, seen);
            if (sent >= seen.DueAt)
            {
                var byLease = sent >= seen.Since + _lease && seen.DueAt != long.MinValue;
                var judged = peer with { Proof = byLease ? DeathProof.LeaseExpired : DeathProof.LockFree };
                (dead ??= []).Add(new DeathVerdict(judged, ByGrace: seen.DueAt != long.MinValue && sent < seen.Since + _lease));
            }
        }

        _peers = now;
        return dead ?? [];
    }

    /// <summary>The earliest time after <paramref name="now"/> at which a peer can be declared dead; <see langword="null"/> if there is
    /// none. The node sends a heartbeat then, if that is earlier than its next one.</summary>
    public long? NextDecision(long now)
    {
        long? next = null;
        foreach (var peer in _peers.Values)
        {
            next = peer.DueAt > now && (next is null || peer.DueAt < next) ? peer.DueAt : next;
        }

        return next;
    }

    private long DueAt(PeerHeartbeat peer, Seen seen)
    {
        var lockWentFree = traits.UsesSessionLocks && peer is { SaysItHoldsLock: true, LockIsHeld: false };
        return lockWentFree switch
        {
            true when traits.LockProvesDeath => long.MinValue,
            true when seen.LockSeenHeld => seen.Since + _grace,
            _ => seen.Since + _lease,
        };
    }

    /// <summary>What this session has observed of a peer.</summary>
    /// <param name="Heartbeat">Its heartbeat counter.</param>
    /// <param name="Since">When that counter value was first seen.</param>
    /// <param name="LockSeenHeld">Whether its lock was seen held in this session, or must have been held.</param>
    /// <param name="DueAt">When it is declared dead if nothing changes.</param>
    private readonly record struct Seen(long Heartbeat, long Since, bool LockSeenHeld, long DueAt);
}

/// <summary>A peer to declare dead.</summary>
/// <param name="Peer">The peer, with the counter on which the decision is based.</param>
/// <param name="ByGrace">Whether only the grace period has passed. The caller must then prove that the server accepts new connections,
/// because a peer that was rejected assumes that it does not.</param>
internal readonly record struct DeathVerdict(PeerHeartbeat Peer, bool ByGrace);
