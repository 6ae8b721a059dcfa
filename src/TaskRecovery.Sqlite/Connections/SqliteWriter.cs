using Microsoft.Extensions.Logging;

namespace TaskRecovery.Sqlite;

/// <summary>This process's only connection that writes, on its own thread.</summary>
/// <remarks>Writes that are requested while a transaction commits share the next one, so a busy store waits for the disk once for many
/// writes, and an idle store adds no delay. If a write fails, its group is rolled back and each write is retried alone, so that only the
/// failing one is reported as failed. Therefore a write must not change anything but the database (see
/// <see cref="SqliteSession.AfterCommit"/>).</remarks>
internal sealed partial class SqliteWriter : IDisposable
{
    private const int MaxGroup = 256;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly Func<SqliteSession> _open;
    private readonly string _file;
    private readonly SqliteOptions _options;
    private readonly ILogger _logger;
    private readonly SqliteWriteQueue _queue;
    private readonly SqliteCheckpointer _checkpointer;
    private readonly List<SqliteWrite> _group = [];
    private readonly Action<Thread> _start;
    private Thread? _thread;
    private long _commits;
    private SqliteSession? _session;

    /// <summary>Creates the writer. The connection is opened at the first write.</summary>
    /// <param name="open">Opens a connection that writes.</param>
    /// <param name="file">The database file.</param>
    /// <param name="options">The store's options.</param>
    /// <param name="logger">The logger for warnings.</param>
    /// <param name="start">Starts a thread. Only tests replace it.</param>
    public SqliteWriter(
        Func<SqliteSession> open, string file, SqliteOptions options, ILogger logger, Action<Thread>? start = null)
    {
        _open = open;
        _file = file;
        _logger = logger;
        _options = options;
        _start = start ?? (static thread => thread.Start());
        _checkpointer = new SqliteCheckpointer(open, file, _start, logger, TimeProvider.System);
        _queue = new SqliteWriteQueue(Start);
    }

    /// <summary>Called before a transaction does anything if another connection has, or may have, written since the last one.</summary>
    internal Action? OnOthersWrote { get; init; }

    /// <summary>How long writes are added to a transaction before it is committed; settable for tests.</summary>
    internal TimeSpan MaxGroupTime { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The number of committed transactions.</summary>
    internal long Commits => Volatile.Read(ref _commits);

    /// <summary>Queues a write.</summary>
    public void Add(SqliteWrite write)
    {
        try
        {
            if (!_queue.TryAdd(write))
            {
                write.Fail(new StoreUnavailableException($"The store over '{_file}' has been closed."));
            }
        }
        catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException)
        {
            write.Fail(new StoreUnavailableException(
                $"'{_file}' could not be written: its writer's thread could not be started ({exception.Message}). "
                + "The process has too little memory, or has reached its limit of threads.",
                exception));
        }
    }

    /// <summary>Stores the queued writes, then closes the connection.</summary>
    public void Dispose()
    {
        _queue.Close();
        if (_thread is not null)
        {
            _thread.Join(StopTimeout);
            _checkpointer.Dispose();
        }
    }

    // Called under the lock of the queue, which Dispose takes before it reads the field.
    private void Start()
    {
        var thread = new Thread(Run) { IsBackground = true, Name = "TaskRecovery SQLite writer" };
        _start(thread);
        _thread = thread;
    }

    private void Run()
    {
        while (_queue.Wait())
        {
            WriteGroup();
        }

        _session?.Dispose();
    }

    private void WriteGroup()
    {
        _group.Clear();
        Exception? error = null;
        long? begunAt = null;
        try
        {
            FinishCheckpoint(_session ??= _open());
            var session = _session ??= _open();
            var (isLong, isRelaxed) = _queue.Next();
            if (!TryBeginImmediate(session, isRelaxed, alone: null))
            {
                return;
            }

            var begun = TimeProvider.System.GetTimestamp();
            begunAt = begun;
            RunGroup(session, isLong);
            Commit(session, begun);
        }
        catch (Exception exception)
        {
            error = exception;
            Recover(exception);
        }

        var held = begunAt is { } since ? TimeProvider.System.GetElapsedTime(since) : TimeSpan.Zero;
        Answer(error, begunAt is not null);
        PauseAfterWrite(held);
    }

    // A failed checkpoint, such as one on a full disk, only lets the log grow: it must not fail the writes that come after it. If the file
    // was replaced, they must fail.
    private void FinishCheckpoint(SqliteSession session)
    {
        try
        {
            _checkpointer.Finish(session);
        }
        catch (Exception exception) when (exception is not FileReplacedException)
        {
            _logger.CheckpointFailed(_file, exception);
            Recover(exception);
        }
    }

    private void RunGroup(SqliteSession session, bool isLong)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (_group.Count < MaxGroup && TimeProvider.System.GetElapsedTime(started) < MaxGroupTime
            && _queue.TryTake(isLong, _relaxed, out var write))
        {
            // A long write starts a group; after it, only ordinary writes that arrived in the meantime are added while there is time.
            isLong = false;
            if (write.TryBegin())
            {
                _group.Add(write);
                write.Run(session);
            }
        }
    }

    private void Commit(SqliteSession session, long begunAt)
    {
        session.Commit();
        Volatile.Write(ref _commits, _commits + 1);
        _checkpointer.Wrote(session.TakePagesWritten(), begunAt);
    }

    private void Answer(Exception? error, bool begun)
    {
        if (error is null)
        {
            foreach (var write in _group)
            {
                write.Succeed();
            }
        }
        else if (!begun)
        {
            // The file cannot be opened, or the transaction cannot begin. Fail all waiting writes now, so that they do not run into the
            // same error one after another.
            foreach (var write in _queue.TakeExpired(TimeSpan.Zero))
            {
                write.Fail(SqliteErrors.Translate(error, _file));
            }
        }
        else if (_group.Count == 1 || error is FileReplacedException or CommitUnknownException)
        {
            // The commit may be kept after all, so a retry could store it twice.
            foreach (var write in _group)
            {
                write.Fail(SqliteErrors.Translate(error, _file));
            }
        }
        else
        {
            // All of them first: one that waits behind the others for the write lock can be taken back meanwhile.
            _group.ForEach(static write => write.Again());
            _group.ForEach(WriteAlone);
        }
    }

    private void WriteAlone(SqliteWrite write)
    {
        try
        {
            var session = _session ??= _open();
            if (!TryBeginImmediate(session, write.IsRelaxed, write))
            {
                return;
            }

            var begunAt = TimeProvider.System.GetTimestamp();
            if (!write.TryBegin())
            {
                session.Rollback();
                return;
            }

            write.Run(session);
            Commit(session, begunAt);
        }
        catch (Exception exception)
        {
            Recover(exception);
            write.Fail(SqliteErrors.Translate(exception, _file));
            return;
        }

        write.Succeed();
    }

    private void Recover(Exception exception)
    {
        try
        {
            _session?.Rollback();
        }
        catch (Exception again)
        {
            exception = again;
            Close();
        }

        if (SqliteErrors.BreaksConnection(exception))
        {
            Close();
        }
    }

    private void Close()
    {
        _session?.Dispose();
        _session = null;
        _relaxed = false;
        _dataVersion = null;
    }
}
