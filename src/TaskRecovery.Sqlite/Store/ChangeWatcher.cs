using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Notices soon that another process has committed. SQLite tells nobody, but the log is written, which Linux tells; elsewhere the
/// number of the last change is looked at, which costs two locks and a read.</summary>
internal sealed class ChangeWatcher(SqliteDatabase database)
{
    // A look costs about 100 us of processor with its wake-up: forty a second are four tenths of a percent of a core.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(25);

    // Where the system tells of changes, a look all the same: should it have missed one, the next poll finds it anyway.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    // A commit is seen when its log has reached the disk, some time after it was written.
    private static readonly TimeSpan Afterwards = TimeSpan.FromSeconds(1);

    // This process's own commits change the number too. While it commits it only assumes now and then that others do.
    private const int LooksWhileBusy = 5;

    private long _changedAt = TimeProvider.System.GetTimestamp();

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

        // The session keeps the log from being removed, so that it stays the same file.
        using var changes = FileChanges.TryWatch(database.Path + "-wal");
        using var waking = cancellationToken.UnsafeRegister(static changes => ((FileChanges?)changes)?.Wake(), changes);
        while (!WaitForChange(changes, cancellationToken))
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

    private bool WaitForChange(FileChanges? changes, CancellationToken cancellationToken)
    {
        // What is written is not committed yet: after the last change looks go on for a while. The first look comes at once.
        if (changes is null || TimeProvider.System.GetElapsedTime(_changedAt) < Afterwards)
        {
            cancellationToken.WaitHandle.WaitOne(Interval);
        }
        else
        {
            changes.Wait(Longest);
        }

        if (changes?.Clear() == true)
        {
            _changedAt = TimeProvider.System.GetTimestamp();
        }

        return cancellationToken.IsCancellationRequested;
    }
}
