using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

internal sealed partial class SqliteQueueStore
{
    public async ValueTask<bool> CancelAsync(long entryId, CancellationToken cancellationToken)
    {
        var stored = await _database.WriteAsync(
            session => Cancel(new EntryMoves(session, _database.Names, _database.Now()), entryId),
            cancellationToken).ConfigureAwait(false);
        if (stored)
        {
            _database.Hints.Control();
        }

        return stored;
    }

    public async ValueTask<OperatorResult> RetryAsync(long entryId, RetryFrom from, CancellationToken cancellationToken)
    {
        var (result, queue) = await _database.WriteAsync(
            session =>
            {
                var done = Retry(new EntryMoves(session, _database.Names, _database.Now()), entryId, from);
                return (done, done == OperatorResult.Done ? QueueOf(session, entryId) : null);
            },
            cancellationToken).ConfigureAwait(false);
        if (queue is not null)
        {
            _database.Hints.Work(queue);
        }

        return result;
    }

    public ValueTask<int> EraseAsync(EraseTarget target, CancellationToken cancellationToken) => new Eraser(_database).EraseAsync(target, cancellationToken);

    public async ValueTask SetPausedAsync(string queue, bool paused, CancellationToken cancellationToken)
    {
        await _database.WriteAsync(
            session => session.Get(NameSql.Pause).Bind(1, _database.Names.Queue(session, queue, isOwn: true)).Bind(2, paused).ExecuteChanges(),
            cancellationToken).ConfigureAwait(false);
        _database.Hints.Control();
        if (!paused)
        {
            _database.Hints.Work(queue);
        }
    }

    /// <summary>Stores a cancel request. If the entry is waiting, it ends at once.</summary>
    internal static bool Cancel(EntryMoves moves, long entry, string reason = EndReasons.CancelRequested)
    {
        var session = moves.Session;
        if (!session.Get(EntrySql.KindAndKey).Bind(1, entry).Exists() || session.Get(OutcomeSql.FindFinal).Bind(1, entry).Exists())
        {
            return false;
        }

        if (!moves.EndWaiting(entry, OutcomeKind.Cancelled, reason))
        {
            session.Get(EntrySql.RequestCancel).Bind(1, entry).Bind(2, moves.Now).Execute();
        }

        return true;
    }

    private static OperatorResult Retry(EntryMoves moves, long entry, RetryFrom from)
    {
        var session = moves.Session;
        var statement = session.Get(OutcomeSql.FindFinal).Bind(1, entry);
        if (!statement.Step())
        {
            return session.Get(EntrySql.KindAndKey).Bind(1, entry).Exists() ? OperatorResult.NotEnded : OperatorResult.NotFound;
        }

        var (fence, kind, reason) = (statement.Int64(0), (OutcomeKind)statement.Int32(1), statement.NullableText(2));
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

        if (from == RetryFrom.Start)
        {
            DropProgress(session, new ProgressKey(entry, null));
            if (TaskMoves.Find(session, entry) is { } task)
            {
                DropProgress(session, new ProgressKey(entry, task));
            }
        }

        session.Get(OutcomeSql.TakeFinal).Bind(1, entry).Bind(2, fence).Execute();
        moves.Wait(entry, moves.Now, attempt: 0, crashes: 0, toFront: false);
        session.Get(TaskSql.ReopenByEntry).Bind(1, entry).Execute();
        return OperatorResult.Done;
    }

    private static bool TryTakeKey(SqliteSession session, long entry)
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
