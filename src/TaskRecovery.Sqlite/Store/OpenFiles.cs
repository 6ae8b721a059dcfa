namespace TaskRecovery.Sqlite;

/// <summary>The files that one connection has open: the database, its log and the log's index, as their names were when it opened them.</summary>
/// <remarks>SQLite keeps writing to a file that was deleted or replaced, and reports success: what is written then is lost with the last handle. And
/// when this process's locks on the database are dropped (any code in it that opens and closes the file does that, also <c>File.Copy</c>), the next
/// process that closes the database deletes the log that is still in use here.</remarks>
internal sealed class OpenFiles
{
    private readonly SqliteFile _file;
    private readonly (string Path, byte[] Bytes, FileFacts? Opened)[] _files;

    /// <summary>Remembers the files of a connection that has read once, so that its log is open.</summary>
    /// <param name="file">The database as it was asked for.</param>
    /// <param name="path">Its path as SQLite resolved it.</param>
    public OpenFiles(SqliteFile file, string path)
    {
        _file = file;
        _files = [Remember(path), Remember($"{path}-wal"), Remember($"{path}-shm")];
    }

    /// <summary>The path that names another file now, or none; <see langword="null"/> if all is as it was.</summary>
    public string? FindReplaced()
    {
        foreach (var (path, bytes, opened) in _files)
        {
            if (opened is { Exists: true } before && FileFacts.Read(bytes) is { } now && !now.IsSameFile(before))
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>Throws if what was committed may have gone to a file that nobody will find.</summary>
    /// <exception cref="FileReplacedException">One of the files was moved, deleted or replaced.</exception>
    public void Confirm()
    {
        if (FindReplaced() is { } path)
        {
            throw ReferenceEquals(path, _files[0].Path) ? _file.DatabaseReplaced() : _file.LogReplaced(path);
        }
    }

    private static (string Path, byte[] Bytes, FileFacts? Opened) Remember(string path)
    {
        var bytes = FileFacts.ToBytes(path);
        return (path, bytes, FileFacts.Read(bytes));
    }
}

/// <summary>The database or its log is not the file any more that is open: whether the last commit is kept is unknown, so it must not be repeated.</summary>
internal sealed class FileReplacedException(string message) : IOException(message);
