using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>Decides who is dead, from what one unbroken session has shown. Pure: it is told the time, and a new session needs a new watch.</summary>
/// <param name="traits">What a free lock means in this store.</param>
/// <param name="lease">The lease.</param>
/// <param name="grace">The grace.</param>
/// <param name="ticksPerSecond">The frequency of the timestamps.</param>
internal sealed class PeerWatch(StoreTraits traits, TimeSpan lease, TimeSpan grace, long ticksPerSecond)
{
    private readonly long _lease = (long)(lease.TotalSeconds * ticksPerSecond);
    private readonly long _grace = (long)(grace.TotalSeconds * ticksPerSecond);
    private Dictionary<Guid, Seen> _peers = [];
    private long? _lastAnswer;

    /// <summary>How many peers the last beat showed.</summary>
    public int Count => _peers.Count;

    /// <summary>Takes in what a beat showed.</summary>
    /// <param name="sent">When the beat was sent: what it shows is at least this new.</param>
    /// <param name="answered">When its answer came: a counter that it showed first was raised before this.</param>
    /// <param name="peers">The other nodes that are not dead.</param>
    /// <returns>Those to declare dead, each with the counter it was judged by.</returns>
    public IReadOnlyList<PeerBeat> Observe(long sent, long answered, IReadOnlyList<PeerBeat> peers)
    {
        // Who was stopped itself, or was kept waiting as long as others may be silent, has watched nobody meanwhile. It starts anew.
        var watched = _lastAnswer is { } last && answered - last < Math.Max(_grace, _lease / 3);
        _lastAnswer = answered;

        List<PeerBeat>? dead = null;
        var now = new Dictionary<Guid, Seen>(peers.Count);
        foreach (var peer in peers)
        {
            var seen = _peers.TryGetValue(peer.NodeId, out var before)
                ? before with { Since = watched && before.Beat == peer.Beat ? before.Since : answered, LockSeenHeld = before.LockSeenHeld || peer.LockIsHeld }
                : new Seen(peer.Beat, answered, peer.LockIsHeld, long.MaxValue);
            seen = seen with { Beat = peer.Beat, DueAt = DueAt(peer, seen) };
            now.Add(peer.NodeId, seen);
            if (sent >= seen.DueAt)
            {
                (dead ??= []).Add(peer);
            }
        }

        _peers = now;
        return dead ?? [];
    }

    /// <summary>When the next decision can be made: the moment to beat at, rather than wait for the next beat; <see langword="null"/> with no peers.</summary>
    public long? NextDecision => _peers.Count == 0 ? null : _peers.Values.Min(peer => peer.DueAt);

    private long DueAt(PeerBeat peer, Seen seen)
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
    /// <param name="LockSeenHeld">Whether its lock was seen held in this session.</param>
    /// <param name="DueAt">When it is dead if nothing changes.</param>
    private readonly record struct Seen(long Beat, long Since, bool LockSeenHeld, long DueAt);
}
