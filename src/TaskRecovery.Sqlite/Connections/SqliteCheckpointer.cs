using Microsoft.Extensions.Logging;

namespace TaskRecovery.Sqlite;

/// <summary>Copies the write-ahead log into the database file, on its own thread and connection, because copying a large log takes seconds
/// and no write should wait for it.</summary>
/// <remarks>The log restarts only when all of it has been copied, which a separate connection never achieves beside a busy writer. If only
/// a few pages are left, the writer copies them between two of its transactions.</remarks>
internal sealed class SqliteCheckpointer(
    Func<SqliteSession> open, string file, Action<Thread> start, ILogger logger, TimeProvider time) : IDisposable
{
    // The number of 4 KiB pages in the log that starts a checkpoint. Infrequent checkpoints are cheaper, but a start after a crash reads
    // the whole log once.
    private const int DuePages = 4000;

    // The writer itself copies at most this many pages. If the writer is not too fast, so few are left that it takes a millisecond.
    private const int RestPages = 1000;
    private const int FewPages = 100;

    // 64 MB: something, such as a long read transaction, prevents the log from restarting, or one transaction was that large.
    private const int LargePages = 16_384;
    private const int PagesPerMegabyte = 256;
    private const int PageBytes = 4096;
    private const int MaxRounds = 8;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    // The rest grows while other processes write, which they can't do during this process's own transactions. After so long a time it may
    // be a log of any size.
    private static readonly TimeSpan RestLasts = TimeSpan.FromSeconds(1);

    private readonly AutoResetEvent _due = new(false);
    private Thread? _thread;
    private Rest? _rest;
    private volatile bool _stopping;

    // When the last transaction of this process ended that began soon enough after the rest was found.
    private long _wroteAt;
    private int _pages;
    private int _reported;

    // The log when it was first found large although nearly all of it was copied.
    private (int Pages, int Copied)? _large;

    /// <summary>Records what a commit has written. Called on the writer's thread. Never throws, because the transaction is
    /// committed.</summary>
    /// <param name="pages">The pages that the transaction has written.</param>
    /// <param name="begunAt">When the transaction had the write lock. While the writer waited for it, other processes wrote.</param>
    public void Wrote(int pages, long begunAt)
    {
        if (Volatile.Read(ref _rest) is not { } rest || time.GetElapsedTime(rest.FoundAt, begunAt) < RestLasts)
        {
            _wroteAt = time.GetTimestamp();
        }

        _pages += pages;
        if (_pages >= DuePages)
        {
            _pages = 0;
            Request();
        }
    }

    /// <summary>Copies the last pages, so that the next write restarts the log. Called on the writer's thread between two
    /// transactions.</summary>
    public void Finish(SqliteSession writer)
    {
        if (Interlocked.Exchange(ref _rest, null) is not { } rest)
        {
            return;
        }

        if (time.GetElapsedTime(Math.Max(rest.FoundAt, _wroteAt)) < RestLasts)
        {
            writer.Checkpoint();
        }
        else if (rest.Pages > 0)
        {
            Request();
        }
    }

    public void Dispose()
    {
        _stopping = true;
        _due.Set();
        _thread?.Join(StopTimeout);
    }

    /// <summary>Copies as many pages as possible.</summary>
    internal void CopyOnce(SqliteSession session)
    {
        if (_large is { } large && session.ReadLog() is { } log && log.Copied < large.Copied)
        {
            // It has started anew.
            _large = null;
        }

        // A checkpoint covers the log as it was at its start. Repeat it for the pages written meanwhile, until few are left, or until a
        // round no longer leaves fewer.
        var last = session.Checkpoint();
        for (var (round, copied, left) = (1, 0, int.MaxValue); round < MaxRounds && last is { } found && found.Copied > copied && !_stopping
            && found.Pages - copied is var written && written > FewPages && (written > RestPages || written < left); round++)
        {
            (copied, left) = (found.Copied, written);
            last = session.Checkpoint();
        }

        if (last is not { } end)
        {
            Volatile.Write(ref _rest, null);
            Report(CountPages(), "another connection, of this or another process, is in the middle of a checkpoint. If this is logged "
                + "again, look for a process that is stopped, or for one that waits in 'pragma wal_checkpoint'");
            return;
        }

        var rest = end.Pages - end.Copied;
        Volatile.Write(ref _rest, end.Pages > 0 && rest <= RestPages ? new Rest(rest, time.GetTimestamp()) : null);
        if (rest > RestPages)
        {
            Report(end.Pages, "a read transaction that was begun long ago keeps it from starting anew. End it: look for a connection, "
                + "of this or another process, that has not read to its end or not committed");
        }
        else
        {
            ReportIfKept(end);
        }
    }

    // One large transaction makes a large log too, which the next write starts anew.
    private void ReportIfKept((int Pages, int Copied) end)
    {
        _large = end.Pages < LargePages ? null : _large ?? end;
        if (_large is not { } first || end.Pages - first.Pages >= DuePages)
        {
            Report(end.Pages, "it is written faster than it is copied");
        }
    }

    // The log must not be opened for this.
    private int CountPages()
    {
        var log = new FileInfo($"{file}-wal");
        return log.Exists ? (int)Math.Min(int.MaxValue / 2, log.Length / PageBytes) : 0;
    }

    private void Request()
    {
        if (HasThread())
        {
            _due.Set();
        }
    }

    // At a limit of processes, such as that of a container, no thread can be started. A later write tries it again.
    private bool HasThread()
    {
        if (_thread is not null)
        {
            return true;
        }

        try
        {
            var thread = new Thread(Run) { IsBackground = true, Name = "TaskRecovery SQLite checkpoints" };
            start(thread);
            _thread = thread;
            return true;
        }
#pragma warning disable CA1031 // Without a checkpoint the log grows, and nothing is lost.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            logger.CheckpointFailed(file, exception);
            return false;
        }
    }

    private void Run()
    {
        SqliteSession? session = null;
        while (true)
        {
            _due.WaitOne();
            if (_stopping)
            {
                break;
            }

            try
            {
                CopyOnce(session ??= open());
            }
#pragma warning disable CA1031 // If a checkpoint fails, the log only grows, and a later write triggers the next one.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                logger.CheckpointFailed(file, exception);
                session?.Dispose();
                session = null;
            }
        }

        session?.Dispose();
    }

    // Warn at 64 MB, and each time the log has doubled since.
    private void Report(int pages, string reason)
    {
        if (pages < LargePages)
        {
            _reported = 0;
        }
        else if (pages >= Math.Max(LargePages, 2 * _reported))
        {
            _reported = pages;
            logger.LargeLog(file, pages / PagesPerMegabyte, reason);
        }
    }

    /// <summary>The pages that were left for the writer, and when.</summary>
    private sealed record Rest(int Pages, long FoundAt);
}
