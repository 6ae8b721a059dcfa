using Microsoft.Data.Sqlite;
using SQLitePCL;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Moves entries between states inside a write transaction. No other class inserts into waiting or outcomes.</summary>
internal sealed class EntryMoves(SqliteSession session, SqliteNames names, long now, bool isOwn = true)
{
    private bool? _anyKeys;
    private bool? _anyCancels;

    public SqliteSession Session => session;

    public long Now => now;

    /// <summary>Stores an entry as waiting.</summary>
    public EnqueueResult Insert(NewEntry entry)
    {
        var kind = names.Kind(session, entry.Kind, isOwn);
        if (entry.UniqueKey is { } key && session.Get(EntrySql.FindKeyHolder).Bind(1, kind).Bind(2, key).Scalar() is { } holder
            && !TryExpire(holder))
        {
            return new EnqueueResult(holder, true);
        }

        var queue = names.Queue(session, entry.Queue, isOwn);
        var id = Store(entry, queue, kind);
        session.Get(WaitingSql.Insert).Bind(1, id).Bind(2, queue).Bind(3, kind).Bind(4, entry.Priority).Bind(5, RunAt(entry)).Execute();
        if (entry.UniqueKey is { } newKey)
        {
            session.Get(EntrySql.TakeKey).Bind(1, kind).Bind(2, newKey).Bind(3, id).Execute();
            _anyKeys = true;
        }

        return new EnqueueResult(id, false);
    }

    /// <summary>Returns whether a run of an entry has begun, or an operator has put the entry back. Such an entry does not
    /// expire.</summary>
    public static bool HasStarted(SqliteSession session, long entry) => session.Get(OutcomeSql.HasStarted).Bind(1, entry).Exists();

    /// <summary>Stores an entry that is claimed in the same transaction. It has no unique key and no run time.</summary>
    /// <returns>The entry's id.</returns>
    public long Store(NewEntry entry) => Store(entry, names.Queue(session, entry.Queue, isOwn), names.Kind(session, entry.Kind, isOwn));

    /// <summary>Ends a run and its entry.</summary>
    /// <returns><see langword="false"/> if an outcome is already stored under this fence.</returns>
    public bool End(Run run, OutcomeKind kind, ReadOnlySpan<byte> result, string? error, string? reason)
    {
        if (!InsertOutcome(run, kind, final: true, result, error, reason))
        {
            return false;
        }

        if (_anyKeys ??= session.Get(EntrySql.AnyKey).Exists())
        {
            session.Get(EntrySql.FreeKey).Bind(1, run.Entry).Execute();
        }

        if (_anyCancels ??= session.Get(EntrySql.AnyCancel).Exists())
        {
            session.Get(EntrySql.RemoveCancel).Bind(1, run.Entry).Execute();
        }

        if (run.MayHaveTask && kind != OutcomeKind.Superseded)
        {
            TaskMoves.End(session, run, kind, result, error, reason, now);
        }

        return true;
    }

    /// <summary>Ends a run and puts its entry back. If a cancel is requested, the entry ends as cancelled instead.</summary>
    /// <param name="run">The run, with the counts that the entry keeps.</param>
    /// <param name="kind">The outcome of the run.</param>
    /// <param name="runAt">The earliest time of the next run.</param>
    /// <param name="error">The error text.</param>
    /// <param name="reason">The reason code.</param>
    /// <param name="cancelled">Whether the entry ended as cancelled.</param>
    /// <returns><see langword="false"/> if an outcome is already stored under this fence.</returns>
    public bool PutBack(Run run, OutcomeKind kind, long runAt, string? error, string? reason, out bool cancelled)
    {
        cancelled = IsCancelRequested(run.Entry);
        if (cancelled)
        {
            return End(run, OutcomeKind.Cancelled, [], error, EndReasons.CancelRequested);
        }

        if (!InsertOutcome(run, kind, final: false, [], error, reason))
        {
            return false;
        }

        Wait(run.Entry, runAt, run.Attempt, run.Crashes, OutcomeRules.GoesFirst(kind));
        if (run.MayHaveTask)
        {
            TaskMoves.Return(session, run, error);
        }

        return true;
    }

    /// <summary>Ends a waiting entry under a new fence.</summary>
    /// <returns><see langword="false"/> if the entry is not waiting.</returns>
    public bool EndWaiting(long entry, OutcomeKind kind, string reason, string? error = null)
    {
        var statement = session.Get(WaitingSql.Take).Bind(1, entry);
        if (!statement.Step())
        {
            return false;
        }

        var (attempt, crashes) = (statement.Count(0), statement.Count(1));
        statement.Execute();
        return End(new Run(entry, DrawFence(), null, attempt, crashes, 0, MayHaveTask: true), kind, [], error, reason);
    }

    /// <summary>Ends a waiting entry as it had ended before an operator put it back.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="fence">The fence of the outcome that had ended it.</param>
    /// <returns><see langword="false"/> if the entry is not waiting.</returns>
    public bool EndWaitingAgain(long entry, long fence)
    {
        if (session.Get(WaitingSql.Take).Bind(1, entry).ExecuteChanges() == 0)
        {
            return false;
        }

        session.Get(EntrySql.FreeKey).Bind(1, entry).Execute();
        session.Get(EntrySql.RemoveCancel).Bind(1, entry).Execute();
        TaskMoves.EndAgain(session, entry, fence);
        return true;
    }

    /// <summary>Adds a waiting row for an entry that does not run, unless it has one, or has ended.</summary>
    public void Wait(long entry, long runAt, int attempt, int crashes, bool goesFirst)
        => session.Get(WaitingSql.PutBack).Bind(1, entry).Bind(2, runAt).Bind(3, attempt).Bind(4, crashes).Bind(
            5, CrashLevels.Of(crashes, goesFirst)).Execute();

    /// <summary>Draws a fence for an outcome without a claim.</summary>
    public long DrawFence()
    {
        if (session.Get(ClaimSql.Draw).Scalar() is { } fence)
        {
            return fence;
        }

        session.Get(ClaimSql.DrawFirst).Execute();
        return 1;
    }

    /// <summary>Returns how long ago a claim was made.</summary>
    public long Since(long claimedAt) => Micros.Since(claimedAt, now);

    /// <summary>Returns whether a cancel is requested for an entry.</summary>
    public bool IsCancelRequested(long entry)
        => (_anyCancels ??= session.Get(EntrySql.AnyCancel).Exists()) && session.Get(EntrySql.IsCancelRequested).Bind(1, entry).Exists();

    // The holder of a key that was not claimed in time will never run, so it must not stand for an entry that should.
    private bool TryExpire(long holder)
        => session.Get(EntrySql.IsExpired).Bind(1, holder).Bind(2, now).Exists() && !HasStarted(session, holder)
            && EndWaiting(holder, OutcomeKind.Cancelled, EndReasons.Expired);

    private long Store(NewEntry entry, long queue, long kind)
    {
        session.Get(EntrySql.Insert)
            .Bind(1, now).Bind(2, queue).Bind(3, kind).Bind(4, entry.Priority).Bind(5, entry.MaxAttempts).BindText(6, entry.Args.Span)
            .Bind(7, entry.UniqueKey).Bind(8, Micros.From(entry.Timeout)).Bind(9, entry.Metadata).Bind(10, entry.TraceParent)
            .Bind(11, Micros.From(entry.ExpiresAt))
            .Execute();
        return session.LastInsertId;
    }

    // The row of an entry may have been removed by another program, and without it no outcome can be stored. If the entry was to end, it
    // has ended, and its key and its task follow. If it was to wait again, there is nothing to put back.
    private bool InsertOutcome(Run run, OutcomeKind kind, bool final, ReadOnlySpan<byte> result, string? error, string? reason)
    {
        try
        {
            return session.Get(OutcomeSql.Insert)
                .Bind(1, run.Entry).Bind(2, run.Fence).Bind(3, now).Bind(4, run.Duration).Bind(5, run.Node).Bind(6, (int)kind)
                .Bind(7, run.Attempt).Bind(8, run.Crashes).Bind(9, final).BindText(10, result).Bind(11, error).Bind(12, reason)
                .ExecuteChanges() > 0;
        }
        catch (SqliteException exception) when (exception.SqliteExtendedErrorCode == raw.SQLITE_CONSTRAINT_FOREIGNKEY)
        {
            return final;
        }
    }

    private long RunAt(NewEntry entry) => entry switch
    {
        { RunAfter: { } after } => now + Math.Max(0, Micros.From(after)),
        { RunAt: { } at } => Math.Max(now, Micros.From(at)),
        _ => now,
    };
}

/// <summary>A run that ends, with the entry's counts after it.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Fence">The claim's fence, or a fence drawn for this outcome.</param>
/// <param name="Node">The node's number.</param>
/// <param name="Attempt">Attempts spent.</param>
/// <param name="Crashes">Crashes counted.</param>
/// <param name="Duration">The run's duration in microseconds.</param>
/// <param name="MayHaveTask">Whether the entry may run a task.</param>
internal readonly record struct Run(long Entry, long Fence, long? Node, int Attempt, int Crashes, long Duration, bool MayHaveTask);
