using Microsoft.Extensions.Logging;

namespace TaskRecovery.Sqlite;

/// <content>The file's only write lock, which other processes want too.</content>
internal sealed partial class SqliteWriter
{
    // The write lock is polled for, not queued for: whoever has it has to leave the others a moment longer than they wait between two tries.
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Courtesy = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan CourtesyLasts = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan ReportAfter = TimeSpan.FromSeconds(2);

    private const string Remedy = "If it is your own transaction, and this call is made while it is open, pass the transaction to the call: without it each waits for the other. "
        + "Otherwise keep your own transactions on this file short; a process that holds one may also be stopped.";

    private long? _dataVersion;
    private long? _othersWroteAt;
    private bool _relaxed;

    /// <summary>Begins a transaction, however long the write lock is held elsewhere, as long as some write waits for it.</summary>
    /// <param name="session">The writer's connection.</param>
    /// <param name="relaxed">Whether the commit need not reach the disk.</param>
    /// <param name="alone">The write that is done again by itself; <see langword="null"/> for those that wait in the queue.</param>
    /// <returns><see langword="false"/> if none waits any more: each has been answered.</returns>
    private bool TryBeginImmediate(SqliteSession session, bool relaxed, SqliteWrite? alone)
    {
        Relax(session, relaxed);
        var started = TimeProvider.System.GetTimestamp();
        var isReported = false;
        while (!session.TryBeginImmediate())
        {
            _othersWroteAt = TimeProvider.System.GetTimestamp();
            if (!AnyWaits(alone))
            {
                return false;
            }

            if (!isReported && TimeProvider.System.GetElapsedTime(started) > ReportAfter)
            {
                isReported = true;
                ReportWait(alone);
            }

            Pause(RetryPause);
        }

        if (isReported)
        {
            _logger.WriteLockTaken(_file, TimeProvider.System.GetElapsedTime(started));
        }

        // Changes only when another connection has committed: another process is at work.
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

    /// <summary>Answers those that have waited for too long, each by its own time.</summary>
    private bool AnyWaits(SqliteWrite? alone)
    {
        foreach (var write in _queue.TakeExpired(_busyTimeout))
        {
            write.Fail(Locked());
        }

        if (alone is null)
        {
            return _queue.Look().Count > 0;
        }

        if (TimeProvider.System.GetElapsedTime(alone.AddedAt) > _busyTimeout && alone.TryTakeBack())
        {
            alone.Fail(Locked());
        }

        return !alone.IsTakenBack;
    }

    private void ReportWait(SqliteWrite? alone)
    {
        var (oldest, count) = _queue.Look();
        oldest = alone ?? oldest;
        if (oldest is not null)
        {
            _logger.WriteLockAwaited(oldest.Call, count + (alone is null ? 0 : 1), TimeProvider.System.GetElapsedTime(oldest.AddedAt), _file, WriteLockHolder.Find(_file).ToString());
        }
    }

    private StoreUnavailableException Locked()
        => new($"'{_file}' has been locked for {_busyTimeout.TotalSeconds:0} s by {WriteLockHolder.Find(_file)}, and nothing of this call was stored. {Remedy}");

    // A heartbeat need not reach the disk: it is about the process that wrote it, and that dies with the machine. A group is relaxed
    // as a whole or not at all; what is relaxed may share a strict one.
    private void Relax(SqliteSession session, bool relaxed)
    {
        if (_synchronousFull && relaxed != _relaxed)
        {
            session.Execute(relaxed ? "pragma synchronous = normal" : "pragma synchronous = full");
            _relaxed = relaxed;
        }
    }

    private void LeaveRoomForOthers()
    {
        if (_othersWroteAt is { } at && TimeProvider.System.GetElapsedTime(at) < CourtesyLasts)
        {
            Pause(Courtesy);
        }
    }

    /// <summary>Waits a moment for somebody else's lock, by the operating system's own time: a test's clock must not hold up a lock.</summary>
    internal static void Pause() => Pause(RetryPause);

    private static void Pause(TimeSpan time)
    {
        var nobody = new object();
        lock (nobody)
        {
            Monitor.Wait(nobody, time);
        }
    }
}
