using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Sqlite;

/// <summary>Retention's use of the files beside the database: the lock that lets one node purge at a time, and the removal of files left by
/// crashed joins.</summary>
internal sealed class RetentionFiles(SqliteFile file, NodeLocks locks)
{
    // A node creates its files before its row. The row's insert waits for the write lock, but not longer than this.
    private static readonly TimeSpan JoinsWithin = TimeSpan.FromHours(1);

    // What the runtime reports if another handle holds the lock: EWOULDBLOCK of Linux and of macOS, ERROR_SHARING_VIOLATION of Windows.
    private const int WouldBlockOnLinux = 11;
    private const int WouldBlockOnMac = 35;
    private const int SharingViolation = unchecked((int)0x80070020);

    /// <summary>Acquires the retention lock, which is held until disposed.</summary>
    /// <returns><see langword="false"/> if another node holds it.</returns>
    /// <exception cref="StoreConfigurationException">The file can't be opened or created.</exception>
    /// <exception cref="StoreUnavailableException">The file can't be opened or created at the moment.</exception>
    public bool TryTakeTurn([NotNullWhen(true)] out IDisposable? turn)
    {
        try
        {
            turn = file.OpenOrCreate(file.RetentionPath, FileShare.None);
            return true;
        }
        catch (IOException exception) when (exception.HResult is WouldBlockOnLinux or WouldBlockOnMac or SharingViolation)
        {
            turn = null;
            return false;
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new StoreConfigurationException(
                $"'{file.RetentionPath}' can't be opened or created, so that nothing removes expired entries: the node that removes them "
                + "keeps a lock in this file. Give the process's user the right to create files in the folder of the database, and to "
                + "write this one.", exception);
        }
        catch (IOException exception)
        {
            throw new StoreUnavailableException(
                $"'{file.RetentionPath}' can't be opened or created at the moment, so that nothing removes expired entries: "
                + exception.Message, exception);
        }
    }

    /// <summary>Lists the nodes that have files here. Call this before reading the rows: a node creates its files before its row.</summary>
    public IReadOnlySet<Guid> ListNodes()
    {
        var nodes = new HashSet<Guid>();
        var prefix = Path.GetFileName(file.LockPath(Guid.Empty))[..^32];
        foreach (var path in Directory.EnumerateFiles(Path.GetDirectoryName(file.FullPath)!, prefix + "*"))
        {
            var name = Path.GetFileName(path)[prefix.Length..];
            if (name.Length >= 32 && Guid.TryParseExact(name[..32], "N", out var node))
            {
                nodes.Add(node);
            }
        }

        return nodes;
    }

    /// <summary>Removes the files of a node without a row: it crashed while joining, or its row was removed while another process was
    /// checking its lock.</summary>
    public void RemoveStray(Guid node)
    {
        var path = file.LockPath(node);
        var written = File.GetLastWriteTimeUtc(File.Exists(path) ? path : file.HeartbeatPath(node));
        if (TimeProvider.System.GetUtcNow().UtcDateTime - written > JoinsWithin)
        {
            locks.Remove(node);
        }
    }
}
