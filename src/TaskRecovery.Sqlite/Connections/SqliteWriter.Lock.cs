using Microsoft.Extensions.Logging;

namespace TaskRecovery.Sqlite;

/// <summary>Acquires the file's only write lock, for which other processes compete.</summary>
internal sealed partial class SqliteWriter
{
    /// <summary>How long to wait between two attempts to acquire the write lock. SQLite's lock is polled, not queued: a process that
    /// releases it must stay away longer than this.</summary>
    internal static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(1);

    // After a write, if another process has written within the second time.
    private static readonly TimeSpan OrdinaryPause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan ContentionLasts = TimeSpan.FromSeconds(2);

    // After a transaction that took long, other processes are waiting even if none of them has written lately: the pause is this part of
    // the time that the lock was held, so that each of them can make an attempt, also on a busy machine.
    private static readonly TimeSpan LongHold = TimeSpan.FromMilliseconds(80);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(20);
    private const int HoldPerPause = 40;

    // Many writes may time out one after the other; after this time, the holder is looked up again. It is not the one that was found for
    // the report, because the holders of two moments say more about a wait than one.
    private static readonly TimeSpan HolderLasts = TimeSpan.FromSeconds(1);

    // When the lock was found taken, until this process has it again. It is later by the time in which this process was stopped.
    private long? _lockedSince;
    private WriteLockHolder? _reported;
    private WriteLockHolder _holder;
    private long? _holderFoundAt;
    private long? _dataVersion;
    private long? _othersWroteAt;
    private bool _relaxed;

    /// <summary>A wait for the write lock that takes longer is reported; settable for tests.</summary>
    internal TimeSpan ReportAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Finds the holder of the write lock of a file; settable for tests.</summary>
    internal Func<string, WriteLockHolder> HolderOf { get; set; } = WriteLockHolder.Find;

    /// <summary>Begins a transaction. Waits for the write lock as long as at least one write waits.</summary>
    /// <param name="session">The writer's connection.</param>
    /// <param name="relaxed">Whether the commit need not reach the disk.</param>
    /// <param name="alone">The write that is retried alone; <see langword="null"/> for the writes in the queue.</param>
    /// <returns><see langword="false"/> if no write waits any more: each has been answered.</returns>
    private bool TryBeginImmediate(SqliteSession session, bool relaxed, SqliteWrite? alone)
    {
        Relax(session, relaxed);
        var started = TimeProvider.System.GetTimestamp();
        var isReported = false;
        while (!session.TryBeginImmediate())
        {
            var now = TimeProvider.System.GetTimestamp();
            var since = _lockedSince ??= now;
            _othersWroteAt = now;
            if (!AnyWaits(alone, since))
            {
                return false;
            }

            if (!isReported && TimeProvider.System.GetElapsedTime(Math.Max(started, since)) > ReportAfter)
            {
                isReported = true;
                ReportWait(alone, since);
            }

            Pause(RetryPause);
            _lockedSince = WithoutStop(since, now, TimeProvider.System.GetTimestamp());
        }

        (_lockedSince, _reported) = (null, null);
        if (isReported)
        {
            _logger.WriteLockTaken(_file, TimeProvider.System.GetElapsedTime(started));
        }

        // The version changes only when another connection has committed, so another process is active.
        var version = session.ReadDataVersion();
        if (_dataVersion is { } before && version != before)
        {
            _othersWroteAt = TimeProvider.System.GetTimestamp();
        }

        if (version != _dataVersion)
        {
            OnOthersWrote?.Invoke();
        }

        _dataVersion = version;
        return true;
    }

    /// <summary>Returns from when on a wait for the lock counts, after a pause between two attempts. If the process was stopped meanwhile,
    /// nothing is known of the lock, so no more than a second of a pause counts. That second keeps the wait finite on a machine whose
    /// pauses are always long.</summary>
    /// <param name="since">From when on it counted before.</param>
    /// <param name="pausedAt">When the pause began.</param>
    /// <param name="now">When it has ended.</param>
    internal static long WithoutStop(long since, long pausedAt, long now)
        => since + Math.Max(0, now - pausedAt - TimeProvider.System.TimestampFrequency);

    /// <summary>Fails the writes that have waited longer than the busy timeout, and returns whether any write still waits. Only the time
    /// in which others held the lock counts: before, a write may have waited for other writes of this process. The writes of a group that
    /// was rolled back wait one after the other, so that time does not start anew for each of them.</summary>
    private bool AnyWaits(SqliteWrite? alone, long since)
    {
        foreach (var write in _queue.TakeExpired(_options.BusyTimeout, since))
        {
            write.Fail(LockTimeout());
        }

        if (alone is null)
        {
            return _queue.Peek().Count > 0;
        }

        if (alone.WaitedSince(since) > _options.BusyTimeout && alone.TryTakeBack())
        {
            alone.Fail(LockTimeout());
        }

        return !alone.IsTakenBack;
    }

    private void ReportWait(SqliteWrite? alone, long since)
    {
        var (oldest, count) = _queue.Peek();
        oldest = alone ?? oldest;
        if (oldest is not null)
        {
            var holder = HolderOf(_file);
            _reported = holder;
            _logger.WriteLockAwaited(
                oldest.Call, count + (alone is null ? 0 : 1), oldest.WaitedSince(since), _file, holder.ToString(),
                holder.ToAdvice(hasTransaction: false));
        }
    }

    private StoreUnavailableException LockTimeout()
        => FindHolder().ToException(_file, _options.BusyTimeout, hasTransaction: false, _reported);

    private WriteLockHolder FindHolder()
    {
        if (_holderFoundAt is not { } at || TimeProvider.System.GetElapsedTime(at) >= HolderLasts)
        {
            _holder = HolderOf(_file);
            _holderFoundAt = TimeProvider.System.GetTimestamp();
        }

        return _holder;
    }

    // A heartbeat need not reach the disk: a power failure that loses it also ends the process that wrote it. Nor need progress, log lines
    // and counts, on which nothing depends. A group is relaxed as a whole or not at all; a relaxed write may be part of a strict group.
    private void Relax(SqliteSession session, bool relaxed)
    {
        if (relaxed != _relaxed && _options.Synchronous == SqliteSynchronous.Full)
        {
            session.Execute(relaxed ? "pragma synchronous = normal" : "pragma synchronous = full");
            _relaxed = relaxed;
        }
    }

    private void PauseAfterWrite(TimeSpan held)
    {
        var share = held / HoldPerPause;
        if (held >= LongHold)
        {
            Pause(share < LongestPause ? share : LongestPause);
        }
        else if (_othersWroteAt is { } at && TimeProvider.System.GetElapsedTime(at) < ContentionLasts)
        {
            Pause(OrdinaryPause);
        }
    }

    // Real time, because a test's clock must not delay it.
    private static void Pause(TimeSpan time)
    {
        var unpulsed = new object();
        lock (unpulsed)
        {
            Monitor.Wait(unpulsed, time);
        }
    }
}
