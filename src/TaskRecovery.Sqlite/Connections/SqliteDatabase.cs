using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SQLitePCL;

namespace TaskRecovery.Sqlite;

/// <summary>The database file with its single writer, its readers and its clock.</summary>
internal sealed class SqliteDatabase : IDisposable
{
    private const int ReaderBusyMilliseconds = 10_000;

    private readonly SqliteFile _file;
    private readonly TimeProvider _time;
    private readonly SqliteReaders _readers;
    private readonly SqliteWriter _writer;
    private volatile bool _wasOpened;
    private bool? _knowsTransactionStates;

    /// <summary>Creates the database object. The file is opened on first use.</summary>
    /// <param name="connectionString">The connection string that names the file.</param>
    /// <param name="options">The store's options.</param>
    /// <param name="time">The clock for stored times.</param>
    /// <param name="logger">The logger for warnings.</param>
    /// <param name="contentRoot">The folder that a relative path is resolved against.</param>
    /// <param name="startThread">Starts the threads of the writer. Only tests replace it.</param>
    public SqliteDatabase(
        string connectionString, SqliteOptions options, TimeProvider time, ILogger? logger = null, string? contentRoot = null,
        Action<Thread>? startThread = null)
    {
        Batteries_V2.Init();
        SqliteVersion = raw.sqlite3_libversion_number();
        Options = options;
        Logger = logger ?? NullLogger.Instance;
        _file = new SqliteFile(connectionString, contentRoot, options.UnixCreateMode);
        _time = time;
        Locks = new NodeLocks(_file);
        Heartbeats = new HeartbeatFiles(_file);
        Retention = new RetentionFiles(_file, Locks);
        _readers = new SqliteReaders(OpenReader, _file.FullPath);
        _writer = new SqliteWriter(OpenWriter, _file.FullPath, options, Logger, startThread) { OnOthersWrote = Names.Clear };
    }

    public SqliteOptions Options { get; }

    public ILogger Logger { get; }

    /// <summary>The version number of the loaded SQLite library.</summary>
    public int SqliteVersion { get; init; }

    public string Path => _file.FullPath;

    public TimeProvider Time => _time;

    public SqliteNames Names { get; } = new();

    public SqliteHints Hints { get; } = new();

    public ClaimContentsCache Claims { get; } = new();

    public NodeLocks Locks { get; }

    public HeartbeatFiles Heartbeats { get; }

    public RetentionFiles Retention { get; }

    internal SqliteWriter Writer => _writer;

    /// <summary>The longest wait for the write lock to store a heartbeat, because the node's next heartbeat waits behind it. The next one
    /// retries. Only tests change it.</summary>
    internal TimeSpan HeartbeatWait { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest wait for the write lock to store a verdict about other nodes, for the same reason. The next heartbeat retries.
    /// Only tests change it.</summary>
    internal TimeSpan VerdictWait { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Whether the states of callers' transactions can be determined; settable for tests.</summary>
    internal bool KnowsTransactionStates
    {
        get => _knowsTransactionStates ?? CallersTransaction.KnowsStates;
        set => _knowsTransactionStates = value;
    }

    /// <summary>Describes which users can use the file or its folder beside those that the options name; <see langword="null"/> for
    /// none.</summary>
    public string? FindExposure() => _file.FindExposure();

    /// <summary>The current time in microseconds since 1970, from the clock that all processes on this machine share.</summary>
    public long Now() => Micros.From(_time.GetUtcNow());

    /// <summary>The path of a node's lock file.</summary>
    public string LockPath(Guid nodeId) => _file.LockPath(nodeId);

    /// <summary>Runs a write in a transaction, alone or together with other writes.</summary>
    /// <param name="work">The write.</param>
    /// <param name="cancellationToken">Cancels the write if it has not begun; a cancelled write is never stored. If it has begun, the call
    /// waits for its result.</param>
    /// <param name="isLong">Whether the write takes long: ordinary writes that are waiting run first.</param>
    /// <param name="relaxed">Whether the commit need not reach the disk. A later commit that must takes it along.</param>
    /// <param name="call">The store method that requests the write.</param>
    public async ValueTask<T> WriteAsync<T>(
        Func<SqliteSession, T> work, CancellationToken cancellationToken, bool isLong = false, bool relaxed = false,
        [CallerMemberName] string call = "")
    {
        cancellationToken.ThrowIfCancellationRequested();
        var kind = isLong ? WriteKind.Long : relaxed ? WriteKind.Relaxed : WriteKind.Ordinary;
        var write = new SqliteWrite<T>(call, work, kind, cancellationToken);
        _writer.Add(write);
        var registration = cancellationToken.UnsafeRegister(static write => ((SqliteWrite)write!).TakeBack(), write);
        await using (registration.ConfigureAwait(false))
        {
            return await write.Answer.ConfigureAwait(false);
        }
    }

    /// <summary>Runs a write and blocks the calling thread until it has ended.</summary>
    /// <param name="work">The write.</param>
    /// <param name="relaxed">Whether the commit need not reach the disk.</param>
    /// <param name="wait">The longest time to wait for the write to begin, or to begin again after its group was rolled back; by default
    /// the busy timeout, as for other writes.</param>
    /// <param name="call">The store method that requests the write.</param>
    /// <exception cref="StoreUnavailableException">The write did not begin in time; it is never stored.</exception>
    public T Write<T>(Func<SqliteSession, T> work, bool relaxed, TimeSpan? wait = null, [CallerMemberName] string call = "")
    {
        var write = new SqliteWrite<T>(call, work, relaxed ? WriteKind.Relaxed : WriteKind.Ordinary, CancellationToken.None);
        _writer.Add(write);
        if (wait is { } limit && !write.WaitOrTakeBack(limit))
        {
            throw new StoreUnavailableException(
                $"'{Path}' could not be written within {limit.TotalSeconds:0.#} s: another connection holds its write lock, "
                + "or earlier writes take long.");
        }

        return write.Answer.GetAwaiter().GetResult();
    }

    /// <summary>Queues a write without waiting for its result.</summary>
    public void Post<T>(Func<SqliteSession, T> work, [CallerMemberName] string call = "")
    {
        var write = new SqliteWrite<T>(call, work, WriteKind.Relaxed, CancellationToken.None);
        _ = write.Answer.ContinueWith(
            static answer => _ = answer.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _writer.Add(write);
    }

    /// <summary>Reads a consistent snapshot of the database.</summary>
    public ValueTask<T> ReadAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken)
        => _readers.ReadAsync(work, cancellationToken);

    /// <summary>Reads a consistent snapshot on the caller's thread; for a read of some microseconds in a loop.</summary>
    public ValueTask<T> ReadBrieflyAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken)
        => _readers.ReadBrieflyAsync(work, cancellationToken);

    /// <summary>Opens a read connection that the caller owns.</summary>
    public SqliteSession OpenReader() => Open(session =>
    {
        session.Execute($"pragma busy_timeout = {ReaderBusyMilliseconds}; pragma query_only = on");
        session.Harden();
        Remember(session);
    });

    /// <summary>Creates a session on the caller's own connection, inside the caller's transaction.</summary>
    /// <exception cref="ArgumentException">The transaction does not belong to this database, or is not active.</exception>
    public SqliteSession Borrow(DbTransaction transaction)
    {
        var connection = CallersTransaction.Connection(transaction);
        if (!IsHere(connection))
        {
            throw new ArgumentException(
                $"The transaction is on '{System.IO.Path.GetFullPath(connection.DataSource)}', but the queue is kept in '{Path}'. "
                + "Use one file for both.", nameof(transaction));
        }

        ConfirmFile();
        return new SqliteSession(connection, ownsConnection: false);
    }

    /// <summary>Returns whether an open transaction of the application holds the write lock of this file, which it keeps until it
    /// ends.</summary>
    public bool IsWriting(DbTransaction transaction)
    {
        try
        {
            return transaction is SqliteTransaction { Connection: { Handle: { } handle } connection }
                && CallersTransaction.HoldsWriteLock(handle) && IsHere(connection);
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Throws if the paths of the database and of its log no longer name the files that this process has open.</summary>
    /// <exception cref="StoreUnavailableException">A file was moved, deleted or replaced.</exception>
    public void ConfirmFile()
    {
        try
        {
            _file.Confirm();
        }
        catch (FileReplacedException exception)
        {
            throw SqliteErrors.Translate(exception, Path);
        }
    }

    /// <summary>Throws if this SQLite release can damage the file.</summary>
    /// <remarks>Two connections are enough, whether of one process or of two. One process of this library has several, and the
    /// application's own connections on the same file copy the log into it too.</remarks>
    /// <exception cref="StoreConfigurationException">The release can damage the file.</exception>
    public void RefuseRelease()
    {
        if (SqliteVersions.HasWalResetBug(SqliteVersion))
        {
            throw new StoreConfigurationException(
                $"SQLite {SqliteVersions.ToText(SqliteVersion)} can damage '{Path}' if two connections write and copy the log at the same "
                + "instant. Use 3.51.3 or later: SQLitePCLRaw.bundle_e_sqlite3 3.0.5 brings one.");
        }
    }

    /// <summary>Logs a warning if other users can use the file or its folder. The file must exist.</summary>
    public void WarnIfExposed()
    {
        if (_file.FindExposure() is { } exposure)
        {
            Logger.FileIsExposed(exposure);
        }
    }

    public void Dispose()
    {
        _writer.Dispose();
        _readers.Dispose();
    }

    // Compare the paths as SQLite resolved them. The file exists by now, so links to it are followed.
    private bool IsHere(SqliteConnection connection)
    {
        var other = System.IO.Path.GetFullPath(connection.DataSource);
        return string.Equals(other, Path, OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal)
            || IsSameFile(other);
    }

    private bool IsSameFile(string other)
        => _readers.Read(session => string.Equals(session.Connection.DataSource, other, StringComparison.Ordinal));

    // The first read opens the log, so that its file can be recorded. If other connections have another log open, this one must not be
    // used.
    private void Remember(SqliteSession session)
    {
        session.Query("pragma schema_version");
        session.Files = _file.Remember(session.Connection.DataSource);
        _file.Confirm();
    }

    private SqliteSession OpenWriter()
    {
        RefuseRelease();
        return Open(PrepareWriter);
    }

    private void PrepareWriter(SqliteSession session)
    {
        if (session.IsReadOnly)
        {
            throw new SqliteException($"'{Path}' was opened for reading only", raw.SQLITE_READONLY);
        }

        session.Harden();

        // The first connection switches the file to a write-ahead log, which needs exclusive access.
        session.Execute($"pragma busy_timeout = {(int)Options.BusyTimeout.TotalMilliseconds}");
        var mode = session.Query("pragma journal_mode = wal");
        if (!string.Equals(mode, "wal", StringComparison.OrdinalIgnoreCase))
        {
            throw new StoreConfigurationException(
                $"'{Path}' can't be used with a write-ahead log (its journal mode stays '{mode}'). Put it on a local disk, "
                + "and open it without exclusive locking.");
        }

        session.Execute($"""
            pragma busy_timeout = 0;
            pragma synchronous = {(Options.Synchronous == SqliteSynchronous.Full ? "full" : "normal")};
            pragma wal_autocheckpoint = 0;
            pragma journal_size_limit = {16 * 1024 * 1024};
            pragma cache_size = -32768;
            pragma temp_store = memory;
            pragma secure_delete = fast;
            pragma fullfsync = on;
            pragma checkpoint_fullfsync = on;
            """);
        Remember(session);
        RefuseContent(session);
    }

    // Until the file has been opened once, a file that can't be opened is a wrong path or a missing right.
    private SqliteSession Open(Action<SqliteSession> prepare)
    {
        SqliteSession? session = null;
        try
        {
            session = new SqliteSession(_file.Open(), ownsConnection: true);
            prepare(session);
            _wasOpened = true;
            return session;
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_CANTOPEN && !_wasOpened)
        {
            session?.Dispose();
            throw SqliteErrors.CantOpen(exception, Path);
        }
        catch
        {
            session?.Dispose();
            throw;
        }
    }

    private void RefuseContent(SqliteSession session)
    {
        var encoding = session.Query("pragma encoding");
        if (!string.Equals(encoding, "UTF-8", StringComparison.OrdinalIgnoreCase))
        {
            throw new StoreConfigurationException(
                $"'{Path}' keeps its text as {encoding}, but the queue's is UTF-8. Name a file of its own, or create the database with "
                + "'pragma encoding = \"UTF-8\"' before its first table.");
        }

        if (session.Query(MigrationSql.ForeignCode) is { } foreign)
        {
            throw new StoreConfigurationException(
                $"'{Path}' has a {foreign}, which would run with the queue's writes or stand in for a table of it. Remove it, "
                + "or keep it in another database file.");
        }
    }
}
