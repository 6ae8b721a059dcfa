using Microsoft.Extensions.Logging;

namespace TaskRecovery.Sqlite;

/// <summary>Copies the write-ahead log into the file, on a thread and a connection of its own: a large log takes seconds, which no write has to wait for.</summary>
/// <remarks>The log starts anew only when all of it has been copied, which never happens beside a busy writer: what was written meanwhile, if it is little, is left to the writer,
/// between two of its transactions.</remarks>
internal sealed class SqliteCheckpointer(Func<SqliteSession> open, string file, ILogger logger) : IDisposable
{
    // Pages of 4 KiB in the log before they are copied into the file: copying them rarely is cheaper, and a start after a crash reads them once.
    private const int DuePages = 4000;

    // The writer copies at most so many itself: some milliseconds.
    private const int RestPages = 1000;

    // 64 MB: something keeps the log from starting anew.
    private const int LargePages = 16_384;
    private const int PagesPerMegabyte = 256;
    private const int MaxRounds = 5;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly AutoResetEvent _due = new(false);
    private Thread? _thread;
    private volatile bool _restIsDue;
    private volatile bool _stopping;
    private int _pages;
    private int _reported;

    /// <summary>Notes what a commit has written. Called on the writer's thread.</summary>
    public void Wrote(int pages)
    {
        _pages += pages;
        if (_pages >= DuePages)
        {
            _pages = 0;
            if (_thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = "TaskRecovery SQLite checkpoints" };
                _thread.Start();
            }

            _due.Set();
        }
    }

    /// <summary>Copies the little that is left, so that the log starts anew with the next write. Called on the writer's thread between two transactions.</summary>
    public void Finish(SqliteSession writer)
    {
        if (_restIsDue)
        {
            _restIsDue = false;
            writer.Checkpoint();
        }
    }

    public void Dispose()
    {
        _stopping = true;
        _due.Set();
        _thread?.Join(StopTimeout);
    }

    /// <summary>Copies what can be copied.</summary>
    /// <returns>How many pages the log has, and how many of them have been copied.</returns>
    internal (int Pages, int Copied) CopyOnce(SqliteSession session)
    {
        // A look shows the log as it was when it began: what was written meanwhile is copied by the next round, until that is little.
        var last = session.Checkpoint();
        for (var (round, copied) = (1, 0); round < MaxRounds && last.Pages - copied > RestPages && last.Copied > copied && !_stopping; round++)
        {
            copied = last.Copied;
            last = session.Checkpoint();
        }

        var rest = last.Pages - last.Copied;
        _restIsDue = last.Pages > 0 && rest <= RestPages;
        Report(last.Pages, rest);
        return last;
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
#pragma warning disable CA1031 // The log only grows meanwhile, and the next writes come by again.
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

    // At 64 MB, and whenever it has doubled since.
    private void Report(int pages, int rest)
    {
        if (pages < LargePages)
        {
            _reported = 0;
        }
        else if (pages >= Math.Max(LargePages, 2 * _reported))
        {
            _reported = pages;
            logger.LargeLog(file, pages / PagesPerMegabyte, rest > RestPages
                ? "a read transaction that was begun long ago keeps it from starting anew. End it: look for a connection, of this or another process, that has not read to its end or not committed"
                : "it is written faster than it is copied");
        }
    }
}
