using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

internal sealed partial class SqliteQueueStore
{
    public async ValueTask<OperatorResult> CancelAsync(long entryId, AuditInfo audit, CancellationToken cancellationToken)
    {
        var result = await _database.WriteAsync(
            session =>
            {
                var moves = new EntryMoves(session, _database.Names, _database.Now());
                var done = Cancel(moves, entryId);
                RecordIfDone(moves, done, entryId, new NewEvent(QueueEventKind.EntryCancelled, audit));
                return done;
            },
            cancellationToken).ConfigureAwait(false);
        if (result == OperatorResult.Done)
        {
            _database.Hints.Control();
        }

        return result;
    }

    public async ValueTask<OperatorResult> RetryAsync(
        long entryId, RetryOptions options, AuditInfo audit, CancellationToken cancellationToken)
    {
        var (result, queue) = await _database.WriteAsync(
            session =>
            {
                var moves = new EntryMoves(session, _database.Names, _database.Now());
                var done = Retry(moves, entryId, options);
                RecordIfDone(
                    moves, done, entryId, new NewEvent(QueueEventKind.EntryRetried, audit) { Detail = RetryText.Of(options) });
                return (done, done == OperatorResult.Done ? QueueOf(session, entryId) : null);
            },
            cancellationToken).ConfigureAwait(false);
        if (queue is not null)
        {
            _database.Hints.Work(queue);
        }

        return result;
    }

    public ValueTask<int> EraseAsync(EraseTarget target, AuditInfo audit, CancellationToken cancellationToken)
        => new Eraser(_database, this, audit).EraseAsync(target, cancellationToken);

    public async ValueTask<OperatorResult> SetPausedAsync(
        PauseTarget target, PauseInfo? pause, AuditInfo audit, CancellationToken cancellationToken)
    {
        var result = await _database.WriteAsync(
            session =>
            {
                var now = _database.Now();
                PauseRules.CheckEnd(pause, Micros.ToTime(now));
                if (NumberOf(session, target, mayAdd: pause is not null && target.MayBeNew) is not { } number)
                {
                    return OperatorResult.NotFound;
                }

                var former = FindPause(session, target, number);
                if (pause is null && former is null)
                {
                    return OperatorResult.NotPaused;
                }

                session.Get(target.KindName is null ? NameSql.Pause : NameSql.PauseKind)
                    .Bind(1, number).Bind(2, pause is not null).Bind(3, now)
                    .Bind(4, pause?.Actor).Bind(5, pause?.Reason).Bind(6, Micros.From(pause?.Until)).Execute();
                EventWriter.Add(session, now, new NewEvent(pause is null ? QueueEventKind.Resumed : QueueEventKind.Paused, audit)
                {
                    Subject = target.ToString(),
                    Detail = pause is null ? null : PauseText.Of(pause, former),
                });
                return OperatorResult.Done;
            },
            cancellationToken).ConfigureAwait(false);
        if (result != OperatorResult.Done)
        {
            return result;
        }

        _database.Hints.Control();
        if (pause is null && target.QueueName is { } queue)
        {
            _database.Hints.Work(queue);
        }

        return result;
    }

    private static PauseInfo? FindPause(SqliteSession session, PauseTarget target, long number)
    {
        var statement = session.Get(target.KindName is null ? NameSql.FindPause : NameSql.FindKindPause).Bind(1, number);
        var pause = statement.Step() ? SqliteMonitorStore.ReadPause(statement, 0) : null;
        statement.Reset();
        return pause;
    }

    private long? NumberOf(SqliteSession session, PauseTarget target, bool mayAdd) => (target.KindName, mayAdd) switch
    {
        (null, true) => _database.Names.Queue(session, target.QueueName!, isOwn: true),
        (null, false) => SqliteNames.FindQueue(session, target.QueueName!),
        ({ } kind, true) => _database.Names.Kind(session, kind, isOwn: true),
        ({ } kind, false) => SqliteNames.FindKind(session, kind),
    };

    /// <summary>Stores a cancel request. If the entry is waiting, it ends at once.</summary>
    /// <returns><see cref="OperatorResult.Done"/>, <see cref="OperatorResult.NotFound"/> or
    /// <see cref="OperatorResult.AlreadyEnded"/>.</returns>
    internal static OperatorResult Cancel(EntryMoves moves, long entry, string reason = EndReasons.CancelRequested)
    {
        var session = moves.Session;
        if (!session.Get(EntrySql.KindAndKey).Bind(1, entry).Exists())
        {
            return OperatorResult.NotFound;
        }

        if (session.Get(OutcomeSql.FindFinal).Bind(1, entry).Exists())
        {
            return OperatorResult.AlreadyEnded;
        }

        if (!moves.EndWaiting(entry, OutcomeKind.Cancelled, reason)
            && session.Get(EntrySql.RequestCancel).Bind(1, entry).Bind(2, moves.Now).ExecuteChanges() == 0)
        {
            session.Get(OperationSql.TakeOver).Bind(1, entry).Execute();
        }

        return OperatorResult.Done;
    }

    /// <summary>Puts an entry that failed or was cancelled back, with a fresh set of attempts.</summary>
    internal static OperatorResult Retry(EntryMoves moves, long entry, RetryOptions options)
    {
        var session = moves.Session;
        var statement = session.Get(OutcomeSql.FindFinal).Bind(1, entry);
        if (!statement.Step())
        {
            return session.Get(EntrySql.KindAndKey).Bind(1, entry).Exists() ? OperatorResult.NotEnded : OperatorResult.NotFound;
        }

        var (kind, reason) = ((OutcomeKind)statement.Int32(1), statement.NullableText(2));
        statement.Reset();
        if (kind == OutcomeKind.Completed)
        {
            return OperatorResult.Completed;
        }

        if (string.Equals(reason, EndReasons.Erased, StringComparison.Ordinal))
        {
            return OperatorResult.Erased;
        }

        if (!TryTakeKey(session, entry))
        {
            return OperatorResult.KeyHeld;
        }

        if (options.From == RetryFrom.Start)
        {
            DropProgress(session, new ProgressKey(entry, null));
            if (TaskMoves.Find(session, entry) is { } task)
            {
                DropProgress(session, new ProgressKey(entry, task));
            }
        }

        session.Get(OutcomeSql.TakeFinal).Bind(1, entry).Execute();
        moves.Wait(entry, Math.Max(moves.Now, Micros.From(options.RunAt) ?? 0), attempt: 0, crashes: 0, goesFirst: false);
        session.Get(TaskSql.ReopenByEntry).Bind(1, entry).Execute();
        return OperatorResult.Done;
    }

    private static void RecordIfDone(EntryMoves moves, OperatorResult result, long entry, NewEvent added)
    {
        if (result == OperatorResult.Done)
        {
            EventWriter.Add(moves.Session, moves.Now, added with { EntryId = entry });
        }
    }

    /// <summary>Takes the unique key of an entry that is put back.</summary>
    /// <returns><see langword="false"/> if another entry holds it.</returns>
    internal static bool TryTakeKey(SqliteSession session, long entry)
    {
        var statement = session.Get(EntrySql.KindAndKey).Bind(1, entry);
        statement.Step();
        var (kind, key) = (statement.Int64(0), statement.NullableText(1));
        statement.Reset();
        if (key is null)
        {
            return true;
        }

        if (session.Get(EntrySql.FindKeyHolder).Bind(1, kind).Bind(2, key).Scalar() is not null)
        {
            return false;
        }

        session.Get(EntrySql.TakeKey).Bind(1, kind).Bind(2, key).Bind(3, entry).Execute();
        return true;
    }
}
