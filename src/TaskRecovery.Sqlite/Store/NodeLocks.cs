using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace TaskRecovery.Sqlite;

/// <summary>The operating system's locks by which nodes prove that they live: each node holds a file of its own beside the database, and the system frees it when the process dies.</summary>
/// <remarks>FileShare.None, never FileStream.Lock: a lock of that kind is set free when any other handle of the same file is closed in the process.
/// Each file holds its own inode as text. A file that says another one was put in the place of the locked one, and is free without proving anything.</remarks>
internal sealed class NodeLocks(SqliteFile file) : IDisposable
{
    private readonly HeartbeatFiles _heartbeats = new(file);

    // Held beyond the session that took it when that broke: the process lives, whatever became of its session, and its lock must not look free.
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
        FileStream? taken = null;
        try
        {
            taken = file.OpenOrCreate(path, FileShare.None);
            WriteInode(taken, path);
            return taken;
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or DirectoryNotFoundException)
        {
            taken?.Dispose();
            throw new StoreConfigurationException($"'{path}' can't be created: a node keeps a lock in a file beside the database. Give the process's user the right to create files in that folder.", exception);
        }
        catch (IOException) when (File.Exists(path))
        {
            taken?.Dispose();
            return null;
        }
    }

    /// <summary>Whether a lock that this process took keeps other handles out. It does not where the file system ignores locks, where the runtime was
    /// configured not to take them, and after the file was deleted or replaced.</summary>
    public bool Works(Guid nodeId)
    {
        using var probe = LockProbe.TryOpen(file.LockPath(nodeId));
        return probe is null ? Look(nodeId) == LockState.Locked : LockProbe.IsHeld(probe);
    }

    /// <summary>Whether a node's lock is held now, as far as that can be known.</summary>
    /// <remarks>A file that is missing or is not the one that was locked proves nothing (it was deleted, replaced or copied): the lease decides then.</remarks>
    public bool IsHeld(Guid nodeId) => Look(nodeId) != LockState.Free;

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

        if (Look(nodeId) is LockState.Free or LockState.Replaced)
        {
            _heartbeats.Remove(nodeId);
            try
            {
                File.Delete(file.LockPath(nodeId));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Another process looks at it at this moment; the next sweep tries again.
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

    private LockState Look(Guid nodeId)
    {
        var path = file.LockPath(nodeId);
        try
        {
            // A shared handle, so that two processes that look at the same moment do not see each other.
            using var look = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            return HoldsItsInode(look, path) ? LockState.Free : LockState.Replaced;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return LockState.Unknown;
        }
        catch (IOException)
        {
            return LockState.Locked;
        }
    }

    // To the disk: after a power failure a free lock must still prove that its node is gone.
    private static void WriteInode(FileStream taken, string path)
    {
        if (FileFacts.Read(path) is { } facts)
        {
            taken.SetLength(0);
            taken.Write(Encoding.ASCII.GetBytes(facts.Inode.ToString(CultureInfo.InvariantCulture)));
            taken.Flush(flushToDisk: true);
        }
    }

    private static bool HoldsItsInode(FileStream look, string path)
    {
        if (FileFacts.Read(path) is not { } facts)
        {
            return true;
        }

        Span<byte> text = stackalloc byte[24];
        var length = look.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
        return Utf8Parser.TryParse(text[..length], out ulong inode, out _) && inode == facts.Inode;
    }

    private enum LockState
    {
        /// <summary>Another handle has it.</summary>
        Locked,

        /// <summary>Nobody has it: the process that had it is dead.</summary>
        Free,

        /// <summary>The file is not the one that was locked.</summary>
        Replaced,

        /// <summary>There is no such file, or it can't be opened.</summary>
        Unknown,
    }
}
