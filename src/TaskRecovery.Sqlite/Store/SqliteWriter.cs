using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Sqlite;

/// <summary>The only connection of this process that writes, on a thread of its own.</summary>
/// <remarks>What is asked for while a transaction commits shares the next one: a busy store waits for the disk once for many writes, an idle one waits
/// for nothing. A write that fails fails alone: its group is rolled back and run again one by one, so a write must not change anything but the database
/// (see <see cref="SqliteSession.AfterCommit"/>).</remarks>
internal sealed partial class SqliteWriter : IDisposable
{
    private const int MaxGroup = 256;

    private static readonly TimeSpan MaxGroupTime = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly Func<SqliteSession> _open;
    private readonly TimeSpan _busyTimeout;
    private readonly string _file;
    private readonly Queue<SqliteWrite> _queue = new();
    private readonly List<SqliteWrite> _group = [];
    private readonly bool _synchronousFull;
    private Thread? _thread;
    private long _commits;
    private bool _stopped;
    private SqliteSession? _session;

    /// <summary>Creates one; nothing is opened before the first write.</summary>
    public SqliteWriter(Func<SqliteSession> open, string file, SqliteOptions options)
    {
        _open = open;
        _file = file;
        _busyTimeout = options.BusyTimeout;
        _synchronousFull = options.Synchronous == SqliteSynchronous.Full;
    }

    /// <summary>How many transactions were committed.</summary>
    internal long Commits => Volatile.Read(ref _commits);

    /// <summary>Asks for a write.</summary>
    public void Add(SqliteWrite write)
    {
        lock (_queue)
        {
            if (_stopped)
            {
                write.Fail(new StoreUnavailableException($"The store over '{_file}' has been closed."));
                return;
            }

            if (_thread is null)
            {
                Start();
            }

            _queue.Enqueue(write);
            Monitor.Pulse(_queue);
        }
    }

    /// <summary>Stores what was asked for, then closes the connection.</summary>
    public void Dispose()
    {
        lock (_queue)
        {
            _stopped = true;
            Monitor.PulseAll(_queue);
        }

        _thread?.Join(StopTimeout);
    }

    private void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "TaskRecovery SQLite writer" };
        _thread.Start();
    }

    private void Run()
    {
        while (WaitForWork())
        {
            WriteGroup();
        }

        _session?.Dispose();
    }

    private bool WaitForWork()
    {
        lock (_queue)
        {
            while (_queue.Count == 0 && !_stopped)
            {
                Monitor.Wait(_queue);
            }

            return _queue.Count > 0;
        }
    }

    private bool TryTake([NotNullWhen(true)] out SqliteWrite? write, bool onlyRelaxed = false)
    {
        lock (_queue)
        {
            if (_queue.TryPeek(out write) && (write.IsRelaxed || !onlyRelaxed))
            {
                _queue.Dequeue();
                return true;
            }

            return false;
        }
    }

    private void WriteGroup()
    {
        _group.Clear();
        Exception? error = null;
        var begun = false;
        try
        {
            var session = _session ??= _open();
            BeginImmediate(session, NextIsRelaxed());
            begun = true;
            RunGroup(session);
            Commit(session);
        }
        catch (Exception exception)
        {
            error = exception;
            Recover(exception);
        }

        Answer(error, begun);
        LeaveRoomForOthers();
    }

    private void RunGroup(SqliteSession session)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (_group.Count < MaxGroup && TimeProvider.System.GetElapsedTime(started) < MaxGroupTime && TryTake(out var write, _relaxed))
        {
            if (write.IsCancelled)
            {
                continue;
            }

            _group.Add(write);
            write.Run(session);
        }
    }

    private void Commit(SqliteSession session)
    {
        session.Commit();
        Volatile.Write(ref _commits, _commits + 1);
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
            // Nobody gets in: what waits now need not wait as long again.
            while (TryTake(out var write))
            {
                write.Fail(SqliteErrors.Translate(error, _file));
            }
        }
        else if (_group.Count == 1)
        {
            _group[0].Fail(SqliteErrors.Translate(error, _file));
        }
        else
        {
            foreach (var write in _group)
            {
                WriteAlone(write);
            }
        }
    }

    private void WriteAlone(SqliteWrite write)
    {
        try
        {
            var session = _session ??= _open();
            BeginImmediate(session, write.IsRelaxed);
            write.Run(session);
            Commit(session);
            write.Succeed();
        }
        catch (Exception exception)
        {
            Recover(exception);
            write.Fail(SqliteErrors.Translate(exception, _file));
        }
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
