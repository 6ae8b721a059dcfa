using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Sqlite;

/// <summary>The other nodes' files, which one session checks once a second. They stay open, because reopening them would be most of the
/// cost of an idle node.</summary>
internal sealed class PeerFiles(HeartbeatFiles heartbeats, NodeLocks locks, Func<Guid, string> lockPath) : IDisposable
{
    private readonly Dictionary<Guid, Peer> _peers = [];
    private bool _isShort;
    private bool _wasRefused;
    private bool _wasOpened;

    /// <summary>Checks a node.</summary>
    /// <returns>Its counter (<see langword="null"/> if the file cannot be read), whether the previous check could not read it either, and
    /// whether its lock is held. <see langword="null"/> if nothing can be said of the node, because too many files are open.</returns>
    public (long? Counter, bool IsUnreadable, bool LockIsHeld)? Check(Guid nodeId)
    {
        if (!_peers.TryGetValue(nodeId, out var peer))
        {
            _peers.Add(nodeId, peer = new Peer());
        }

        var before = peer.Counter;
        peer.Counter = peer.Heartbeat is null ? null : HeartbeatFiles.Read(peer.Heartbeat);
        if ((peer.Counter is null || peer.Counter == before) && !TryOpenAgain(nodeId, peer) && peer.Counter is null)
        {
            return null;
        }

        var isUnreadable = peer.Counter is null && peer.WasUnreadable;
        peer.WasUnreadable = peer.Counter is null;
        return (peer.Counter, isUnreadable, IsHeld(nodeId, peer));
    }

    /// <summary>Reads a node's counter from the file that is open here, if the node's path still names it. For a verdict that can't open
    /// the file by its path, because too many files are open.</summary>
    /// <returns><see langword="null"/> if the file is not open, or if it is unknown whether the path names it (only Linux tells).</returns>
    public long? TryReadKept(Guid nodeId)
        => _peers.TryGetValue(nodeId, out var peer) && peer.Heartbeat is { } kept
            && FileFacts.Read(heartbeats.PathOf(nodeId)) is { } named && FileFacts.Read(kept) is { } open && named.IsSameFile(open)
            ? HeartbeatFiles.Read(kept) : null;

    /// <summary>Returns whether the checks since the last call are the first ones that could not open a file because too many are
    /// open.</summary>
    public bool TakeBeginOfShortage()
    {
        var begins = _wasRefused && !_isShort;
        _isShort = _wasRefused || (_isShort && !_wasOpened);
        (_wasRefused, _wasOpened) = (false, false);
        return begins;
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

    // The path may name another file by now. If too many files are open, keep the handle: if the path still names its file, it shows the
    // node's heartbeats, and before a verdict this is checked.
    private bool TryOpenAgain(Guid nodeId, Peer peer)
    {
        var opened = heartbeats.TryOpen(nodeId, out var tooManyOpen);
        if (tooManyOpen)
        {
            _wasRefused = true;
            return false;
        }

        _wasOpened = true;
        peer.Heartbeat?.Dispose();
        peer.Heartbeat = opened;
        peer.Counter = opened is null ? null : HeartbeatFiles.Read(opened);
        return true;
    }

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
