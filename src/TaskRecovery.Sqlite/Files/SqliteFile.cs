using System.Runtime.Versioning;
using Microsoft.Data.Sqlite;

namespace TaskRecovery.Sqlite;

/// <summary>The database file that a connection string names. Files that can't hold a queue are rejected before anything is
/// opened.</summary>
internal sealed class SqliteFile
{
    private const string DataDirectory = "|DataDirectory|";
    private const int MaxLinks = 40;

    // Closing a handle of the file releases the locks that SQLite holds on it in this process, so no connection may be opened while the
    // file is being created.
    private static readonly Lock Creating = new();

    private readonly string _connectionString;
    private readonly UnixFileMode _mode;
    private readonly bool _creates;
    private readonly byte[] _bytes;
    private readonly Lock _gate = new();
    private OpenFiles? _open;
    private int _connections;
    private bool _wasOpened;
    private FileFacts? _first;
    private volatile string? _lostLog;

    /// <summary>Parses a connection string of Microsoft.Data.Sqlite. The path is resolved once, here, so that a later change of the current
    /// folder has no effect.</summary>
    /// <param name="connectionString">The connection string.</param>
    /// <param name="contentRoot">The folder that a relative path is resolved against; by default the current folder.</param>
    /// <param name="mode">The permissions of created files.</param>
    /// <exception cref="ArgumentException">The connection string names no file, or one that can't hold a queue.</exception>
    public SqliteFile(
        string connectionString, string? contentRoot = null, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        var builder = Validate(connectionString);
        FullPath = FollowLinks(Resolve(builder.DataSource, contentRoot), MaxLinks);
        _mode = mode;
        _bytes = FileFacts.ToBytes(FullPath);
        _creates = builder.Mode == SqliteOpenMode.ReadWriteCreate;
        builder.DataSource = FullPath;
        builder.Cache = SqliteCacheMode.Private;
        builder.Pooling = false;
        builder.ForeignKeys = true;
        _connectionString = builder.ToString();
    }

    /// <summary>The file's full path, with links resolved.</summary>
    public string FullPath { get; }

    /// <summary>Rejects a connection string that does not name a writable file.</summary>
    /// <exception cref="ArgumentException">The connection string names no file, or one that can't hold a queue.</exception>
    public static SqliteConnectionStringBuilder Validate(string connectionString)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        var builder = Parse(connectionString) ?? throw new ArgumentException(
            "The connection string can't be read: write 'Name=value' pairs that Microsoft.Data.Sqlite knows, with ';' between them, "
            + "as in 'Data Source=tasks.db'.",
            nameof(connectionString));
        var source = builder.DataSource;
        if (string.IsNullOrWhiteSpace(source))
        {
            throw new ArgumentException("The connection string names no file. Write 'Data Source=tasks.db'.", nameof(connectionString));
        }

        if (source.Contains(":memory:", StringComparison.OrdinalIgnoreCase) || builder.Mode == SqliteOpenMode.Memory)
        {
            throw new ArgumentException(
                "The connection string names a database in memory, which loses every entry with its process. "
                + "Name a file: 'Data Source=tasks.db'. For a test, one in the temporary folder.",
                nameof(connectionString));
        }

        if (source.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException(
                "The connection string names a URI. Name the file by its path: 'Data Source=tasks.db'.",
                nameof(connectionString));
        }

        if (builder.Mode == SqliteOpenMode.ReadOnly)
        {
            throw new ArgumentException(
                $"The connection string opens the file '{source}' for reading only, but a queue writes. Leave out 'Mode'.",
                nameof(connectionString));
        }

        return builder;
    }

    // No message repeats the connection string, which may contain a password. The message of the parser may contain a part of it.
    private static SqliteConnectionStringBuilder? Parse(string connectionString)
    {
        try
        {
            return new SqliteConnectionStringBuilder(connectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException)
        {
            return null;
        }
    }

    /// <summary>Opens a connection.</summary>
    /// <exception cref="StoreConfigurationException">The file can't hold a queue at its location.</exception>
    /// <exception cref="FileReplacedException">The path no longer names the file that this process opened first.</exception>
    public SqliteConnection Open()
    {
        if (_lostLog is { } log)
        {
            throw LogReplaced(log);
        }

        RefuseNetwork();
        if (_wasOpened)
        {
            Confirm();
        }
        else if (_creates && !OperatingSystem.IsWindows())
        {
            CreateIfMissing();
        }

        var before = FileFacts.Read(_bytes);
        RefuseSeveralNames(before);

        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.Open();
            RefuseAnother(FileFacts.Read(_bytes), before);
            _first ??= before;
            _wasOpened = true;
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Records the files of a connection that has read once, so that its log is open.</summary>
    /// <param name="path">The database's path as SQLite resolved it.</param>
    /// <returns>The files. Call <see cref="OpenFiles.Forget"/> before the connection closes.</returns>
    public OpenFiles Remember(string path)
    {
        lock (_gate)
        {
            var files = new OpenFiles(this, path);

            // The first connection may have opened a file that had no log yet.
            _open = _open is { HasLog: true } ? _open : files;
            _connections++;
            return files;
        }
    }

    /// <summary>Forgets the files of a connection before it closes. If it was the last one, SQLite deletes the log, and the next connection
    /// begins another.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _connections--;
            _open = _connections == 0 ? null : _open;
        }
    }

    /// <summary>Throws if the paths of the database and of its log no longer name the files that this process has open.</summary>
    /// <exception cref="FileReplacedException">A file was moved, deleted or replaced.</exception>
    public void Confirm()
    {
        if (_lostLog is { } log)
        {
            throw LogReplaced(log);
        }

        if (FileFacts.Read(_bytes) is { } now)
        {
            RefuseAnother(now, _first);
        }
        else if (_wasOpened && !File.Exists(FullPath))
        {
            throw DatabaseReplaced();
        }

        // As long as one connection is open, all of them have the same log. Under the lock, the last one can't close meanwhile.
        lock (_gate)
        {
            _open?.Confirm(checkedPath: _first is null ? null : FullPath);
        }
    }

    /// <summary>Returns the path of the log, of its index or of the database if it no longer names the file that this process has open;
    /// <see langword="null"/> if nothing changed.</summary>
    internal string? FindReplacedLog()
    {
        lock (_gate)
        {
            return _lostLog ?? _open?.FindOwnReplaced();
        }
    }

    /// <summary>The path of a node's lock file.</summary>
    public string LockPath(Guid nodeId) => $"{FullPath}-node-{nodeId:N}";

    /// <summary>The path of the file with a node's heartbeat counter.</summary>
    public string HeartbeatPath(Guid nodeId) => $"{LockPath(nodeId)}-heartbeat";

    /// <summary>The path of the lock file held by the node that purges history.</summary>
    public string RetentionPath => $"{FullPath}-retention";

    /// <summary>Opens one of the store's own files beside the database; creates it with the same permissions as the database.</summary>
    public FileStream OpenOrCreate(string path, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (OperatingSystem.IsWindows())
        {
            return new FileStream(path, options);
        }

        options.UnixCreateMode = _mode;
        var stream = new FileStream(path, options);
        if (stream.Length == 0)
        {
            SetMode(stream);
        }

        return stream;
    }

    /// <summary>Describes in a sentence why other users of the machine can access the file; <see langword="null"/> if they can't.</summary>
    public string? FindExposure()
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        const UnixFileMode Writers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        var folder = Path.GetDirectoryName(FullPath)!;
        if ((File.GetUnixFileMode(folder) & Writers & ~_mode) is not UnixFileMode.None and var writers)
        {
            return $"The folder '{folder}' can be written by {(writers.HasFlag(UnixFileMode.OtherWrite)
                ? "every user of this machine"
                : "its group")}, who can replace '{FullPath}' and "
                + "its locks. Use a folder that only this user may write (chmod 700), or name in SqliteOptions.UnixCreateMode who "
                + "shares the file";
        }

        return (File.GetUnixFileMode(FullPath) & ~_mode) is not UnixFileMode.None and var more
            ? $"'{FullPath}' can be used by more users than SqliteOptions.UnixCreateMode says ({more}): they can read what is queued, "
                + "and their locks can stop its writers. Take the right away "
                + "(chmod 600, also from the '-wal' and '-shm' files)"
            : null;
    }

    internal FileReplacedException DatabaseReplaced() => new(
        $"'{FullPath}' is gone: it was moved, deleted or replaced while this process had it open. What was being written may be lost. "
        + "Put it back, or restart the process to begin with "
        + "what is there now.");

    internal FileReplacedException LogReplaced(string log)
    {
        _lostLog = log;
        return new FileReplacedException(
            $"'{log}' was deleted or replaced while this process had it open, so what was being written may be lost. "
            + "It happens when the file is removed, and when this process itself "
            + $"opens or copies '{FullPath}', which drops its locks. Restart this process; copy a database with 'vacuum into' only.");
    }

    private static string Resolve(string source, string? contentRoot)
    {
        var folder = AppDomain.CurrentDomain.GetData("DataDirectory") as string;
        if (source.StartsWith(DataDirectory, StringComparison.OrdinalIgnoreCase))
        {
            source = source[DataDirectory.Length..].TrimStart('/', '\\');
            if (string.IsNullOrEmpty(folder))
            {
                throw new ArgumentException(
                    $"The path '{DataDirectory}{source}' needs a folder that was not set. "
                    + "Call AppDomain.CurrentDomain.SetData(\"DataDirectory\", folder) first, or write the path in full.",
                    nameof(source));
            }
        }

        // The same order as in Microsoft.Data.Sqlite, but with the content root instead of the current folder.
        var start = string.IsNullOrEmpty(folder) ? contentRoot : folder;
        return string.IsNullOrEmpty(start) ? Path.GetFullPath(source) : Path.GetFullPath(source, Path.GetFullPath(start));
    }

    // SQLite follows links and keeps its log beside the real file. The lock files must be there too, or processes that use different names
    // for the file would not see each other's locks.
    private static string FollowLinks(string path, int left)
    {
        if (OperatingSystem.IsWindows() || left == 0 || Path.GetDirectoryName(path) is not { } folder)
        {
            return path;
        }

        folder = FollowLinks(folder, left);
        path = Path.Combine(folder, Path.GetFileName(path));
        return new FileInfo(path).LinkTarget is { } target ? FollowLinks(Path.GetFullPath(target, folder), left - 1) : path;
    }

    [UnsupportedOSPlatform("windows")]
    private void CreateIfMissing()
    {
        lock (Creating)
        {
            if (File.Exists(FullPath))
            {
                return;
            }

            try
            {
                var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, UnixCreateMode = _mode };
                using var created = new FileStream(FullPath, options);
                SetMode(created);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Another process created the file first, or the file can't be created and opening it with SQLite will report why.
            }
        }
    }

    // Set the mode explicitly, because the process's umask removes permissions from the requested mode.
    [UnsupportedOSPlatform("windows")]
    private void SetMode(FileStream created)
    {
        try
        {
            File.SetUnixFileMode(created.SafeFileHandle, _mode);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The file belongs to another user; it has the mode that its creator set.
        }
    }

    /// <summary>Throws if the database can be opened by several names, each of which would have a log of its own.</summary>
    /// <exception cref="StoreConfigurationException">The file has hard links, or is a mount point.</exception>
    internal void RefuseSeveralNames(FileFacts? facts)
    {
        if (facts is { Links: > 1 } linked)
        {
            throw new StoreConfigurationException(
                $"'{FullPath}' has {linked.Links} names (hard links). Processes that open it by different names keep different logs and "
                + "damage it. Remove the other names, or make a copy with 'vacuum into'.");
        }

        if (facts is { IsMountPoint: true })
        {
            throw new StoreConfigurationException(
                $"'{FullPath}' is mounted as a single file, so that its log, which belongs to it, is kept somewhere else and the file gets "
                + "damaged. Mount the folder that holds the database.");
        }
    }

    private void RefuseAnother(FileFacts? now, FileFacts? before)
    {
        if (now is { } found && before is { } expected && !found.IsSameFile(expected))
        {
            throw DatabaseReplaced();
        }
    }

    private void RefuseNetwork()
    {
        if (FullPath.StartsWith(@"\\", StringComparison.Ordinal))
        {
            throw Refused("a network path");
        }

        try
        {
            var (type, format) = FileSystems.Describe(Path.GetDirectoryName(FullPath)!);
            if (FileSystems.IsShared(type, format))
            {
                throw Refused(format);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // The drive does not report its type. Opening the file will show whether it can be used.
        }
    }

    private StoreConfigurationException Refused(string what)
        => new($"'{FullPath}' lies on a network file system ({what}), where SQLite's locks do not hold and files get damaged. "
            + "Put it on a local disk; for several machines use TaskRecovery.PostgreSql.");
}
