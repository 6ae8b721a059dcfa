using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Detects commits of other processes soon. SQLite has no notification for this. On Linux, inotify reports writes to the log;
/// elsewhere the watcher polls <c>pragma data_version</c>, which costs two file locks and a read.</summary>
internal sealed class ChangeWatcher(SqliteDatabase database)
{
    // A check costs about 100 us of CPU time, including the wake-up: 40 per second use 0.4 % of a core, whatever the number of commits. If
    // the log was quiet, its next commit is usually visible some milliseconds after the write, so the first checks follow each other
    // quickly. Each pause is twice as long as the one before.
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(100);

    // Check now and then even if inotify reports changes. If it misses one, the next poll finds the work.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    // A log write is visible as a commit only some time later, when the log has reached the disk.
    private static readonly TimeSpan Afterwards = TimeSpan.FromSeconds(1);

    // This process's own commits change data_version too. While this process commits, send a hint only every few changes, because another
    // process may have committed too.
    private const int ChangesWhileBusy = 5;

    private long _changedAt = TimeProvider.System.GetTimestamp();
    private TimeSpan _pause = First;
    private bool _isVisible;
    private volatile bool _isNotified;
    private long _checks;

    /// <summary>How often it has read the version of the database.</summary>
    internal long Checks => Volatile.Read(ref _checks);

    /// <summary>Whether the operating system reports writes to the log. If it does not, the watcher polls.</summary>
    internal bool IsNotified => _isNotified;

    /// <summary>Sends hints until cancelled. Uses a thread of its own, because a timer and the thread pool would cost an idle process ten
    /// times as much.</summary>
    /// <param name="onHint">Called when another process may have committed.</param>
    /// <param name="cancellationToken">Stops the watcher.</param>
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

        // This session keeps the log open, so that it is not removed and remains the same file.
        using var changes = FileChanges.TryWatch(database.Path + "-wal");
        _isNotified = changes is not null;
        using var waking = cancellationToken.UnsafeRegister(static changes => ((FileChanges?)changes)?.Wake(), changes);
        while (!WaitForChange(changes, missed, cancellationToken, out var wasWritten))
        {
            var commits = database.Writer.Commits;
            var seen = session.ReadDataVersion();
            Volatile.Write(ref _checks, _checks + 1);

            // One transaction at a time writes to the log. So if a commit has become visible, and the log was not written since the check
            // before, every write that was noticed is visible.
            _isVisible = !wasWritten && (_isVisible || seen != version);
            if (seen == version)
            {
                // This process has stopped committing, and another one may have committed meanwhile.
                if (missed > 0)
                {
                    missed = 0;
                    onHint(new StoreHint(StoreHintKind.Control, null));
                }

                continue;
            }

            version = seen;
            missed = commits == own && database.Writer.Commits == own ? ChangesWhileBusy : missed + 1;
            own = database.Writer.Commits;
            if (missed >= ChangesWhileBusy)
            {
                missed = 0;
                onHint(new StoreHint(StoreHintKind.Control, null));
            }
        }
    }

    private bool WaitForChange(FileChanges? changes, int missed, CancellationToken cancellationToken, out bool wasWritten)
    {
        // A write to the log is not a commit yet, so continue to check for a while after the last write, until its commit is visible. The
        // first check runs at once.
        if (changes is null)
        {
            cancellationToken.WaitHandle.WaitOne(Interval);
        }
        else if (TimeProvider.System.GetElapsedTime(_changedAt) < Afterwards && !(_isVisible && missed == 0))
        {
            cancellationToken.WaitHandle.WaitOne(_pause);
            _pause = _pause * 2 is var next && next < Quiet ? next : Quiet;
        }
        else
        {
            changes.Wait(Longest);
            _pause = TimeProvider.System.GetElapsedTime(_changedAt) < Quiet ? Interval : First;
        }

        wasWritten = changes?.Clear() == true;
        if (wasWritten)
        {
            _changedAt = TimeProvider.System.GetTimestamp();
            _pause = _pause < Interval ? _pause : Interval;
        }

        return cancellationToken.IsCancellationRequested;
    }
}
