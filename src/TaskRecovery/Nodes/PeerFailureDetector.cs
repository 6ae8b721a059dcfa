using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>Decides who is dead, from what one unbroken session has shown. Pure: it is told the time, and a new session needs a new watch.</summary>
/// <param name="traits">What a free lock means in this store.</param>
/// <param name="lease">The lease.</param>
/// <param name="grace">The grace.</param>
/// <param name="ticksPerSecond">The frequency of the timestamps.</param>
internal sealed class PeerFailureDetector(StoreTraits traits, TimeSpan lease, TimeSpan grace, long ticksPerSecond)
{
    private readonly long _lease = (long)(lease.TotalSeconds * ticksPerSecond);
    private readonly long _grace = (long)(grace.TotalSeconds * ticksPerSecond);
    private Dictionary<Guid, Seen> _peers = [];
    private long? _lastAnswer;

    /// <summary>How many peers the last heartbeat showed.</summary>
    public int Count => _peers.Count;

    /// <summary>Takes in what a heartbeat showed.</summary>
    /// <param name="sent">When the heartbeat was sent: what it shows is at least this new.</param>
    /// <param name="answered">When its answer came: a counter that it showed first was raised before this.</param>
    /// <param name="peers">The other nodes that are not dead.</param>
    /// <returns>Those to declare dead, each with the counter it was judged by.</returns>
    public IReadOnlyList<DeathVerdict> Observe(long sent, long answered, IReadOnlyList<PeerHeartbeat> peers)
    {
        // Who was stopped itself, or was kept waiting as long as others may be silent, has watched nobody meanwhile. It starts anew.
        var watched = _lastAnswer is { } last && answered - last < Math.Max(_grace, _lease / 3);

        // Who was not there when this session looked last has registered since, in this life of the server, and held its lock then if it says so.
        var newcomersHeldTheirs = _lastAnswer is not null;
        _lastAnswer = answered;

        List<DeathVerdict>? dead = null;
        var now = new Dictionary<Guid, Seen>(peers.Count);
        foreach (var peer in peers)
        {
            var seen = _peers.TryGetValue(peer.NodeId, out var before)
                ? before with { Since = watched && before.Beat == peer.Heartbeat ? before.Since : answered, LockSeenHeld = before.LockSeenHeld || peer.LockIsHeld }
                : new Seen(peer.Heartbeat, answered, newcomersHeldTheirs || peer.LockIsHeld, long.MaxValue);
            seen = seen with { Beat = peer.Heartbeat, DueAt = DueAt(peer, seen) };
            now.Add(peer.NodeId, seen);
            if (sent >= seen.DueAt)
            {
                (dead ??= []).Add(new DeathVerdict(peer, ByGrace: seen.DueAt != long.MinValue && sent < seen.Since + _lease));
            }
        }

        _peers = now;
        return dead ?? [];
    }

    /// <summary>The next moment after <paramref name="now"/> at which a decision can be made: one to heartbeat at, rather than wait for the next heartbeat; <see langword="null"/> if there is none.</summary>
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

    /// <summary>What this session has seen of a peer.</summary>
    /// <param name="Beat">Its counter.</param>
    /// <param name="Since">When that counter was seen first.</param>
    /// <param name="LockSeenHeld">Whether its lock was seen held in this session, or must have been.</param>
    /// <param name="DueAt">When it is dead if nothing changes.</param>
    private readonly record struct Seen(long Beat, long Since, bool LockSeenHeld, long DueAt);
}

/// <summary>A peer to declare dead.</summary>
/// <param name="Peer">The peer, with the counter it was judged by.</param>
/// <param name="ByGrace">Whether only the grace period has passed: then it must be shown first that the server lets newcomers in, as the peer may have been turned away and counts on that.</param>
internal readonly record struct DeathVerdict(PeerHeartbeat Peer, bool ByGrace);
