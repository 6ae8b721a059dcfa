using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Notices soon that another process has committed. SQLite tells nobody, but the number of the last change costs two locks and a read.</summary>
internal sealed class SqliteWatch(SqliteDatabase database)
{
    // A look costs about 100 us of processor with its wake-up: forty a second are four tenths of a percent of a core.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(25);

    // This process's own commits change the number too. While it commits it only assumes now and then that others do.
    private const int LooksWhileBusy = 5;

    /// <summary>Says so until cancelled. On a thread of its own: a timer and the thread pool would cost an idle process ten times as much.</summary>
    /// <param name="onHint">Told that something may have changed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task RunAsync(Action<StoreHint> onHint, CancellationToken cancellationToken)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                Watch(onHint, cancellationToken);
                ended.SetCanceled(cancellationToken);
            }
            catch (Exception exception)
            {
                ended.SetException(exception);
            }
        })
        { IsBackground = true, Name = "TaskRecovery SQLite watch" };
        thread.Start();
        return ended.Task;
    }

    private void Watch(Action<StoreHint> onHint, CancellationToken cancellationToken)
    {
        using var session = database.OpenReader();
        var (version, own, missed) = (session.ReadDataVersion(), database.Writer.Commits, 0);
        while (!cancellationToken.WaitHandle.WaitOne(Interval))
        {
            var commits = database.Writer.Commits;
            var seen = session.ReadDataVersion();
            if (seen == version)
            {
                continue;
            }

            version = seen;
            missed = commits == own && database.Writer.Commits == own ? LooksWhileBusy : missed + 1;
            own = database.Writer.Commits;
            if (missed >= LooksWhileBusy)
            {
                missed = 0;
                onHint(new StoreHint(StoreHintKind.Control, null));
            }
        }
    }
}
