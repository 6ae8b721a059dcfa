using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Sqlite;

/// <summary>What retention has to do with files beside the database: whose turn it is, and what crashed joins have left behind.</summary>
internal sealed class RetentionFiles(SqliteFile file, NodeLocks locks)
{
    // Between a node's lock and its row lies one write, which waits for the write lock for a while at most.
    private static readonly TimeSpan JoinsWithin = TimeSpan.FromHours(1);

    /// <summary>Takes this node's turn, until disposed.</summary>
    /// <returns><see langword="false"/> if it is another one's.</returns>
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

    /// <summary>The nodes that have files here. List them before the rows are read: a node has its files first.</summary>
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

    /// <summary>Removes the files of a node that has no row: it crashed while it joined, or its row was removed while somebody looked at its lock.</summary>
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
