using System.Collections.Concurrent;

namespace TaskRecovery.Sqlite;

/// <summary>The operating system's locks by which nodes prove that they live: each holds a file of its own beside the database, and the system lets go of it when the process dies.</summary>
/// <remarks>FileShare.None, never FileStream.Lock: a lock of that kind is set free when any other handle of the same file is closed in the process.</remarks>
internal sealed class NodeLocks(SqliteFile file) : IDisposable
{
    private readonly HeartbeatFiles _heartbeats = new(file);

    // Held beyond the session that took it when that broke: the process lives, whatever became of its session, and the others must not be told otherwise.
    private readonly ConcurrentDictionary<Guid, FileStream> _kept = new();

    /// <summary>Takes a node's lock.</summary>
    /// <returns><see langword="null"/> if another handle has it.</returns>
    /// <exception cref="StoreConfigurationException">No file can be created beside the database.</exception>
    public FileStream? TryTake(Guid nodeId)
    {
        if (_kept.TryRemove(nodeId, out var kept))
        {
            return kept;
        }

        var path = file.LockPath(nodeId);
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or DirectoryNotFoundException)
        {
            throw new StoreConfigurationException($"'{path}' can't be created: a node keeps a lock in a file beside the database. Give the process's user the right to create files in that folder.", exception);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    /// <summary>Whether a node's lock is held now.</summary>
    /// <remarks>A file that is not there proves nothing (somebody has tidied up, or the database was copied): the lease decides then.</remarks>
    public bool IsHeld(Guid nodeId)
    {
        try
        {
            // A shared handle, so that two who look at the same moment do not see each other.
            using var _ = new FileStream(file.LockPath(nodeId), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Keeps a lock whose session broke, for the next session.</summary>
    public void Keep(Guid nodeId, FileStream held)
    {
        if (!_kept.TryAdd(nodeId, held))
        {
            held.Dispose();
        }
    }

    /// <summary>Removes the files of a node that is dead, unless its lock is still held.</summary>
    public void Remove(Guid nodeId)
    {
        if (_kept.TryRemove(nodeId, out var kept))
        {
            kept.Dispose();
        }

        if (!IsHeld(nodeId))
        {
            _heartbeats.Remove(nodeId);
            try
            {
                File.Delete(file.LockPath(nodeId));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Somebody looks at it at this moment; the next sweep comes by again.
            }
        }
    }

    public void Dispose()
    {
        foreach (var nodeId in _kept.Keys)
        {
            if (_kept.TryRemove(nodeId, out var held))
            {
                held.Dispose();
            }
        }
    }
}
