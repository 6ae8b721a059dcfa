using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Sqlite;

/// <summary>The file locks by which nodes prove that they are alive. Each node locks its own file beside the database; the operating system
/// releases the lock when the process ends.</summary>
/// <remarks>Uses FileShare.None, never FileStream.Lock: the latter's lock is released when the process closes any other handle of the same
/// file. Each file contains its own inode number as text. A file that contains another number replaced the locked file, so the fact that it
/// is unlocked proves nothing.</remarks>
internal sealed class NodeLocks(SqliteFile file)
{
    // Only a commit whose result is unknown adds one. After the first ones, the disk has to be replaced.
    private const int MostUnknown = 1000;

    private readonly HeartbeatFiles _heartbeats = new(file);
    private readonly ConcurrentDictionary<Guid, bool> _unknown = new();

    // If a session breaks, its lock is kept here: the process is alive, and a free lock would prove the opposite. Only the next session of
    // the node releases it. The end of the database object does not, because handlers may outlive it.
    private readonly ConcurrentDictionary<Guid, FileStream> _kept = new();

    /// <summary>Acquires a node's lock.</summary>
    /// <returns><see langword="null"/> if another handle holds it.</returns>
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
            throw new StoreConfigurationException($"'{path}' can't be created: a node keeps a lock in a file beside the database. "
                + "Give the process's user the right to create files in that folder.", exception);
        }
        catch (IOException) when (File.Exists(path))
        {
            taken?.Dispose();
            return null;
        }
    }

    /// <summary>Returns whether a lock that this process holds excludes other handles. It does not if the file system ignores locks, if
    /// file locking is disabled in the runtime's configuration, or if the file was deleted or replaced.</summary>
    public bool Works(Guid nodeId)
    {
        using var probe = LockProbe.TryOpen(file.LockPath(nodeId));
        return Works(nodeId, probe);
    }

    /// <summary>Returns whether a lock that this process holds excludes other handles.</summary>
    /// <param name="nodeId">The node.</param>
    /// <param name="probe">The file that the lock's path names now; <see langword="null"/> to open it here.</param>
    public bool Works(Guid nodeId, SafeFileHandle? probe)
        => probe is null ? ReadState(nodeId) == LockState.Locked : LockProbe.IsHeld(probe) == true;

    /// <summary>Returns whether a node's lock is held now; <see langword="true"/> if this cannot be determined.</summary>
    /// <remarks>A file that is missing, or is not the one that was locked (it was deleted, replaced or copied), proves nothing: the lease
    /// decides then.</remarks>
    public bool IsHeld(Guid nodeId) => ReadState(nodeId) != LockState.Free;

    /// <summary>Keeps the lock of a broken session for the next session.</summary>
    public void Keep(Guid nodeId, FileStream held)
    {
        if (!_kept.TryAdd(nodeId, held))
        {
            held.Dispose();
        }
    }

    /// <summary>Records that a registration of this process failed, and that its row may be stored all the same. Nothing runs under this
    /// id.</summary>
    public void AddUnknown(Guid nodeId)
    {
        if (_unknown.Count < MostUnknown)
        {
            _unknown.TryAdd(nodeId, true);
        }
    }

    /// <summary>Returns whether the row of a node is that of a registration that failed in this process.</summary>
    public bool IsUnknown(Guid nodeId) => _unknown.ContainsKey(nodeId);

    /// <summary>Removes the files of a dead node, unless its lock is still held.</summary>
    public void Remove(Guid nodeId)
    {
        _unknown.TryRemove(nodeId, out _);
        if (_kept.TryRemove(nodeId, out var kept))
        {
            kept.Dispose();
        }

        if (ReadState(nodeId) is LockState.Free or LockState.Replaced)
        {
            _heartbeats.Remove(nodeId);
            try
            {
                File.Delete(file.LockPath(nodeId));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Another process is checking the lock at this moment; the next sweep tries again.
            }
        }
    }

    private LockState ReadState(Guid nodeId)
    {
        var path = file.LockPath(nodeId);
        try
        {
            // Open with FileShare.Read, so that two processes that check the lock at the same moment do not take each other for its holder.
            using var opened = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            return !HoldsItsInode(opened, path) ? LockState.Replaced
                : !OperatingSystem.IsLinux() ? LockState.Free
                : LockProbe.IsHeld(opened.SafeFileHandle) switch
                {
                    // The runtime ignores every other error of the lock.
                    null => LockState.Unknown,
                    true => LockState.Locked,
                    false => LockState.Free,
                };
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

    // Flush to the disk: after a power failure, a free lock must still prove that its node is dead. Where locks do not work, each heartbeat
    // takes the lock again, and must not wait for the disk.
    private static void WriteInode(FileStream taken, string path)
    {
        if (!HoldsItsInode(taken, path) && FileFacts.Read(path) is { } facts)
        {
            taken.SetLength(0);
            taken.Position = 0;
            taken.Write(Encoding.ASCII.GetBytes(facts.Inode.ToString(CultureInfo.InvariantCulture)));
            taken.Flush(flushToDisk: true);
        }
    }

    private static bool HoldsItsInode(FileStream opened, string path)
    {
        if (FileFacts.Read(path) is not { } facts)
        {
            return true;
        }

        Span<byte> text = stackalloc byte[24];
        var length = opened.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
        return Utf8Parser.TryParse(text[..length], out ulong inode, out _) && inode == facts.Inode;
    }

    private enum LockState
    {
        /// <summary>Another handle holds the lock.</summary>
        Locked,

        /// <summary>No handle holds the lock: the process that held it is dead.</summary>
        Free,

        /// <summary>The file is not the one that was locked.</summary>
        Replaced,

        /// <summary>The file does not exist or can't be opened, or the operating system can't tell whether it is locked.</summary>
        Unknown,
    }
}
