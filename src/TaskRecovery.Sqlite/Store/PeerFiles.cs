using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Sqlite;

/// <summary>The other nodes' files, as one session looks at them once a second: they stay open, as to open them anew would be most of what an idle node costs.</summary>
internal sealed class PeerFiles(HeartbeatFiles heartbeats, NodeLocks locks, Func<Guid, string> lockPath) : IDisposable
{
    private readonly Dictionary<Guid, Peer> _peers = [];

    /// <summary>Looks at a node.</summary>
    /// <returns>Its counter (<see langword="null"/> if that cannot be read), whether that was so at the last look too, and whether its lock is held.</returns>
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
            // It may be another file by now.
            peer.Heartbeat?.Dispose();
            peer.Heartbeat = heartbeats.TryOpen(nodeId);
            peer.Counter = peer.Heartbeat is null ? null : HeartbeatFiles.Read(peer.Heartbeat);
        }

        var isUnreadable = peer.Counter is null && peer.WasUnreadable;
        peer.WasUnreadable = peer.Counter is null;
        return (peer.Counter, isUnreadable, IsHeld(nodeId, peer));
    }

    /// <summary>Closes the files of those that are no longer looked at.</summary>
    public void KeepOnly(IReadOnlySet<Guid> nodes)
    {
        foreach (var gone in _peers.Keys.Where(node => !nodes.Contains(node)).ToList())
        {
            _peers[gone].Dispose();
            _peers.Remove(gone);
        }
    }

    public void Dispose() => KeepOnly(new HashSet<Guid>());

    // A lock that is held needs no second look; one that seems to be free is looked at as everywhere.
    private bool IsHeld(Guid nodeId, Peer peer)
    {
        peer.Lock ??= LockProbe.TryOpen(lockPath(nodeId));
        return (peer.Lock is { } handle && LockProbe.IsHeld(handle)) || locks.IsHeld(nodeId);
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
