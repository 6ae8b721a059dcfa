namespace TaskRecovery.Sqlite;

/// <summary>The files that one connection has open (database, write-ahead log and shared-memory index), as identified when it opened
/// them.</summary>
/// <remarks>SQLite continues to write to a deleted or replaced file and reports success; that data is lost when the last handle is closed.
/// Also, if this process's locks on the database are released (any code in the process that opens and closes the file does that, including
/// <c>File.Copy</c>), the next process that closes the database deletes the log that is still in use here.</remarks>
internal sealed class OpenFiles
{
    private readonly SqliteFile _file;
    private readonly (string Path, byte[] Bytes, FileFacts? Opened)[] _files;

    /// <summary>Records the files of a connection. See <see cref="SqliteFile.Remember"/>.</summary>
    /// <param name="file">The database file as configured.</param>
    /// <param name="path">Its path as SQLite resolved it.</param>
    public OpenFiles(SqliteFile file, string path)
    {
        _file = file;
        _files = [Remember(path), Remember($"{path}-wal"), Remember($"{path}-shm")];
    }

    /// <summary>Whether the database had a write-ahead log. A copy of a database has none until the first connection writes.</summary>
    public bool HasLog => _files[1].Opened is { Exists: true };

    /// <summary>Returns the path that now names another file or none; <see langword="null"/> if nothing changed. A connection that was
    /// opened before the log existed uses the log that another connection of this process created.</summary>
    /// <param name="checkedPath">A path that need not be checked.</param>
    public string? FindReplaced(string? checkedPath = null)
        => FindOwnReplaced(checkedPath) ?? (HasLog ? null : _file.FindReplacedLog());

    /// <summary>As <see cref="FindReplaced"/>, only of the files that existed when this connection was opened.</summary>
    internal string? FindOwnReplaced(string? checkedPath = null)
    {
        foreach (var (path, bytes, opened) in _files)
        {
            if (opened is { Exists: true } before && !string.Equals(path, checkedPath, StringComparison.Ordinal)
                && FileFacts.Read(bytes) is { } now && !now.IsSameFile(before))
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>Throws if the last commit may have been written to a file that was moved, deleted or replaced.</summary>
    /// <param name="checkedPath">A path that need not be checked.</param>
    public void Confirm(string? checkedPath = null)
    {
        if (FindReplaced(checkedPath) is { } path)
        {
            throw string.Equals(path, _files[0].Path, StringComparison.Ordinal) ? _file.DatabaseReplaced() : _file.LogReplaced(path);
        }
    }

    /// <summary>Forgets the files, because the connection is about to close.</summary>
    public void Forget() => _file.Forget();

    private static (string Path, byte[] Bytes, FileFacts? Opened) Remember(string path)
    {
        var bytes = FileFacts.ToBytes(path);
        return (path, bytes, FileFacts.Read(bytes));
    }
}

/// <summary>The database or its log was replaced while it was open. Whether the last commit is kept is unknown, so it must not be
/// repeated.</summary>
internal sealed class FileReplacedException(string message) : IOException(message);
