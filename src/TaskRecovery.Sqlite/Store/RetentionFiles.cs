using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Sqlite;

/// <summary>Retention's use of the files beside the database: the lock that lets one node purge at a time, and the removal of files left by
/// crashed joins.</summary>
internal sealed class RetentionFiles(SqliteFile file, NodeLocks locks)
{
    // A node creates its files before its row. The row's insert waits for the write lock, but not longer than this.
    private static readonly TimeSpan JoinsWithin = TimeSpan.FromHours(1);

    /// <summary>Acquires the retention lock, which is held until disposed.</summary>
    /// <returns><see langword="false"/> if another node holds it.</returns>
    public bool TryTakeTurn([NotNullWhen(true)] out IDisposable? turn)
    {
        try
        {
            turn = file.OpenOrCreate(file.RetentionPath, FileShare.None);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            turn = null;
            return false;
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
