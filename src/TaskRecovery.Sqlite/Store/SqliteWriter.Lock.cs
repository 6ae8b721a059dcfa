namespace TaskRecovery.Sqlite;

/// <content>The file's only write lock, which other processes want too.</content>
internal sealed partial class SqliteWriter
{
    // The write lock is polled for, not queued for: whoever has it has to leave the others a moment longer than they wait between two tries.
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Courtesy = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan CourtesyLasts = TimeSpan.FromSeconds(2);

    private long? _dataVersion;
    private long? _othersWroteAt;
    private bool _relaxed;

    private void BeginImmediate(SqliteSession session, bool relaxed)
    {
        Relax(session, relaxed);
        var started = TimeProvider.System.GetTimestamp();
        while (!session.TryBeginImmediate())
        {
            _othersWroteAt = TimeProvider.System.GetTimestamp();
            if (TimeProvider.System.GetElapsedTime(started) > _busyTimeout)
            {
                throw new StoreUnavailableException(
                    $"'{_file}' has been locked by another connection for {_busyTimeout.TotalSeconds:0} s. Somebody holds a write transaction open, or a process that had one is stopped: keep your own transactions on this file short.");
            }

            Pause(RetryPause);
        }

        // Changes only when another connection has committed: another process is at work.
        var version = session.ReadDataVersion();
        if (_dataVersion is { } before && version != before)
        {
            _othersWroteAt = TimeProvider.System.GetTimestamp();
        }

        _dataVersion = version;
    }

    // A beat need not reach the disk: it is about the process that wrote it, and that dies with the machine. A group is relaxed
    // as a whole or not at all; what is relaxed may share a strict one.
    private void Relax(SqliteSession session, bool relaxed)
    {
        if (_synchronousFull && relaxed != _relaxed)
        {
            session.Execute(relaxed ? "pragma synchronous = normal" : "pragma synchronous = full");
            _relaxed = relaxed;
        }
    }

    private bool NextIsRelaxed()
    {
        lock (_queue)
        {
            return _queue.TryPeek(out var write) && write.IsRelaxed;
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
