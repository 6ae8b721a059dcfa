using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Sqlite;

/// <summary>The files of one node that its own session uses with every heartbeat.</summary>
internal sealed class OwnFiles(Guid nodeId, HeartbeatFiles heartbeats, NodeLocks locks, Func<Guid, string> lockPath) : IDisposable
{
    private readonly KeptFile<FileStream> _heartbeat = heartbeats.KeepOwn(nodeId);
    private readonly KeptFile<SafeFileHandle> _lock = new(lockPath(nodeId), LockProbe.TryOpen);

    /// <summary>The node.</summary>
    public Guid NodeId => nodeId;

    /// <summary>Increments the node's counter. See <see cref="HeartbeatFiles.TryRaise"/>.</summary>
    public bool TryRaise(ref long counter, string? vitals) => HeartbeatFiles.TryRaise(_heartbeat, ref counter, vitals);

    /// <summary>Returns whether the lock that this process holds excludes other handles. See <see cref="NodeLocks.Works(Guid)"/>.</summary>
    public bool LockWorks() => locks.Works(nodeId, _lock.Open());

    public void Dispose()
    {
        _heartbeat.Dispose();
        _lock.Dispose();
    }
}
