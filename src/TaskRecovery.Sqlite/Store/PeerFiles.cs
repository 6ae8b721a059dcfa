using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Sqlite;

/// <summary>The other nodes' files, which one session checks once a second. They stay open, because reopening them would be most of the
/// cost of an idle node.</summary>
internal sealed class PeerFiles(HeartbeatFiles heartbeats, NodeLocks locks, Func<Guid, string> lockPath) : IDisposable
{
    private readonly Dictionary<Guid, Peer> _peers = [];

    /// <summary>Checks a node.</summary>
    /// <returns>Its counter (<see langword="null"/> if the file cannot be read), whether the previous check could not read it either, and
    /// whether its lock is held.</returns>
    public (long? Counter, bool IsUnreadable, bool LockIsHeld) Look(Guid nodeId)
    {
        if (!_peers.TryGetValue(nodeId, out var peer))
        {
            _peers.Add(nodeId, peer = new Peer());
        }

        var before = peer.Counter;
        peer.Counter = peer.Heartbeat is null ? null : HeartbeatFiles.Read(peer.Heartbeat);
        if (peer.Counter is null || peer.Counter == before)
        {
            // The path may name another file by now, so close the handle and open the file again at the next check.
            peer.Heartbeat?.Dispose();
            peer.Heartbeat = heartbeats.TryOpen(nodeId);
            peer.Counter = peer.Heartbeat is null ? null : HeartbeatFiles.Read(peer.Heartbeat);
        }

        var isUnreadable = peer.Counter is null && peer.WasUnreadable;
        peer.WasUnreadable = peer.Counter is null;
        return (peer.Counter, isUnreadable, IsHeld(nodeId, peer));
    }

    /// <summary>Closes the files of all other nodes.</summary>
    public void KeepOnly(IReadOnlySet<Guid> nodes)
    {
        foreach (var gone in _peers.Keys.Where(node => !nodes.Contains(node)).ToList())
        {
            _peers[gone].Dispose();
            _peers.Remove(gone);
        }
    }

    public void Dispose() => KeepOnly(new HashSet<Guid>());

    // If the open handle shows that the lock is held, or can't be asked, that is the answer. If the lock seems to be free, repeat the full
    // check.
    private bool IsHeld(Guid nodeId, Peer peer)
    {
        peer.Lock ??= LockProbe.TryOpen(lockPath(nodeId));
        return (peer.Lock is { } handle && LockProbe.IsHeld(handle) != false) || locks.IsHeld(nodeId);
    }

    private sealed class Peer : IDisposable
    {
        public SafeFileHandle? Heartbeat { get; set; }

        public SafeFileHandle? Lock { get; set; }

        public long? Counter { get; set; }

        public bool WasUnreadable { get; set; }

        public void Dispose()
        {
            Heartbeat?.Dispose();
            Lock?.Dispose();
        }
    }
}
