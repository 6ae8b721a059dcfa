using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

internal sealed partial class SqliteQueueStore
{
    private const int DeleteLimit = 2000;
    private const int UnreadablePart = 20_000;

    private readonly HistoryWalk _walk = new();
    private long _readableUpTo;

    /// <summary>Scans the history with a reader and deletes expired entries in small transactions, so that claims and outcomes hardly
    /// wait.</summary>
    public async ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken)
    {
        if (!_database.Retention.TryTakeTurn(out var turn))
        {
            _walk.Rest();
            return false;
        }

        using (turn)
        {
            return await PurgeInTurnAsync(retention, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> PurgeInTurnAsync(RetentionOptions retention, CancellationToken cancellationToken)
    {
        var now = _database.Now();
        var kept = new Kept(
            now - Micros.From(retention.Completed), now - Micros.From(retention.Failed), now - Micros.From(retention.Cancelled));
        if (_walk.IsResting)
        {
            _walk.Begin();
        }

        var (old, fence, last, isEnd) = await _database.ReadAsync(
            session => Walk(session, _walk.After, kept, now), cancellationToken).ConfigureAwait(false);
        var deleted = 0;
        foreach (var chunk in old.Chunk(DeleteLimit))
        {
            deleted += await InPartsAsync(chunk, session => BeginDelete(session, fence), cancellationToken).ConfigureAwait(false);
        }

        var isMoreOverdue = await ExpireAsync(retention, now, cancellationToken).ConfigureAwait(false);
        await EndUnreadableAsync(cancellationToken).ConfigureAwait(false);
        _walk.GoOn(last, deleted, isEnd);
        if (!_walk.IsResting)
        {
            return true;
        }

        var tasks = await _database.ReadAsync(session => FindTasks(session, kept), cancellationToken).ConfigureAwait(false);
        if (tasks.Count > 0)
        {
            await InPartsAsync(tasks, session => task => DeleteTask(session, task), cancellationToken).ConfigureAwait(false);
        }

        var deadBefore = now - Micros.From(NodeRules.DeadNodesStay(retention));
        if (await _database.ReadAsync(
            session => session.Get(NodeSql.Forgotten).Bind(1, deadBefore).Exists(), cancellationToken).ConfigureAwait(false))
        {
            var nodes = await _database.WriteAsync(session => DeleteNodes(session, deadBefore), cancellationToken).ConfigureAwait(false);
            nodes.ForEach(_database.Locks.Remove);
        }

        await RemoveStrayFilesAsync(cancellationToken).ConfigureAwait(false);
        return isMoreOverdue || tasks.Count == DeleteLimit;
    }

    // Returns whether more entries may be overdue than a round ends.
    private async ValueTask<bool> ExpireAsync(RetentionOptions retention, long now, CancellationToken cancellationToken)
    {
        if (retention.Due is not { } longest)
        {
            return false;
        }

        var before = now - Micros.From(longest);
        var overdue = await _database.ReadAsync(session => FindOverdue(session, before), cancellationToken).ConfigureAwait(false);
        if (overdue.Count > 0)
        {
            await InPartsAsync(overdue, session => BeginExpire(session, before), cancellationToken).ConfigureAwait(false);
        }

        return overdue.Count == DeleteLimit;
    }

    // Such a row was not written by this library. There is no index over the types of values, so each round reads a part of the table.
    private async ValueTask EndUnreadableAsync(CancellationToken cancellationToken)
    {
        var (last, unreadable) = await _database.ReadAsync(
            session => FindUnreadable(session, _readableUpTo), cancellationToken).ConfigureAwait(false);
        if (unreadable.Count > 0)
        {
            await InPartsAsync(unreadable, BeginEndUnreadable, cancellationToken).ConfigureAwait(false);
        }

        _readableUpTo = last;
    }

    private static (long Last, List<(long Entry, string Column)> Rows) FindUnreadable(SqliteSession session, long after)
    {
        var rows = new List<(long, string)>();
        if (session.Get(WaitingSql.EndOfPart).Bind(1, after).Bind(2, UnreadablePart).Scalar() is not { } last)
        {
            return (0, rows);
        }

        var statement = session.Get(WaitingSql.Unreadable).Bind(1, after).Bind(2, last);
        while (statement.Step())
        {
            rows.Add((statement.Int64(0), statement.Text(1)));
        }

        return (last, rows);
    }

    private Func<(long Entry, string Column), long?> BeginEndUnreadable(SqliteSession session)
    {
        var moves = new EntryMoves(session, _database.Names, _database.Now());
        return row => moves.EndWaiting(
            row.Entry, OutcomeKind.Failed, EndReasons.Unreadable,
            $"The entry's row can't be read: {row.Column} in taskrecovery_waiting is no integer.")
            ? 0 : null;
    }

    /// <summary>Changes rows in several transactions, as their budget asks for: a row with a large payload takes milliseconds.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="begin">Called at the begin of each transaction; returns what changes a row, and returns how many bytes that took, or
    /// <see langword="null"/> if it did not change it.</param>
    /// <param name="cancellationToken">Cancels the writes that have not begun.</param>
    /// <param name="committed">Called after each transaction.</param>
    internal async ValueTask<int> InPartsAsync<T>(
        IReadOnlyList<T> rows, Func<SqliteSession, Func<T, long?>> begin, CancellationToken cancellationToken, Action? committed = null)
    {
        var changed = 0;
        for (var done = 0; done < rows.Count;)
        {
            var start = done;
            (var count, done) = await _database.WriteAsync(
                session =>
                {
                    // What each part reads again does not count: many rows would be changed one at a time.
                    var change = begin(session);
                    var (budget, some, next) = (new LockBudget(), 0, start);
                    do
                    {
                        if (change(rows[next++]) is { } bytes)
                        {
                            budget.Spend(bytes);
                            some++;
                        }
                    }
                    while (next < rows.Count && budget.IsLeft);

                    return (some, next);
                },
                cancellationToken).ConfigureAwait(false);
            changed += count;
            committed?.Invoke();
        }

        return changed;
    }

    private List<long> FindOverdue(SqliteSession session, long before)
    {
        var overdue = new List<long>();
        foreach (var (queue, _) in ReadQueues(session))
        {
            foreach (var group in WaitingGroups.Read(session, _database.Names, queue, kinds: null).Where(group => group.FirstDue <= before))
            {
                var statement = session.Get(WaitingSql.Due).Bind(1, queue).Bind(2, group.Kind).Bind(3, group.Level).Bind(4, before).Bind(
                    5, DeleteLimit - overdue.Count);
                while (statement.Step())
                {
                    overdue.Add(statement.Int64(0));
                }
            }
        }

        return overdue;
    }

    // Skip entries that were claimed since the search.
    private Func<long, long?> BeginExpire(SqliteSession session, long before)
    {
        var moves = new EntryMoves(session, _database.Names, _database.Now());
        return entry => session.Get(WaitingSql.IsOverdue).Bind(1, entry).Bind(2, before).Exists()
            && moves.EndWaiting(entry, OutcomeKind.Cancelled, EndReasons.Expired) ? 0 : null;
    }

    private async ValueTask RemoveStrayFilesAsync(CancellationToken cancellationToken)
    {
        var withFiles = _database.Retention.ListNodes();
        var known = await _database.ReadAsync(
            session => withFiles.Where(node => session.Get(NodeSql.Find).Bind(1, node).Exists()).ToHashSet(),
            cancellationToken).ConfigureAwait(false);
        foreach (var node in withFiles.Where(node => !known.Contains(node)))
        {
            _database.Retention.RemoveStray(node);
        }
    }

    private static (List<long> Old, long Fence, long Last, bool IsEnd) Walk(SqliteSession session, long after, Kept kept, long now)
    {
        var old = new List<long>();
        var (count, last, fence, created) = (0, after, 0L, 0L);
        var statement = session.Get(RetentionSql.Walk).Bind(1, after).Bind(2, HistoryWalk.Chunk);
        while (statement.Step())
        {
            count++;
            (last, created) = (statement.Int64(0), statement.Int64(4));
            if (!statement.IsNull(1) && statement.Int64(2) <= kept.Until((OutcomeKind)statement.Int32(1)))
            {
                old.Add(last);
                fence = Math.Max(fence, statement.Int64(3));
            }
        }

        // Ids follow creation time: once an entry was created too late to have ended long enough ago, so was every later one. But a time
        // to come was stored while the clock was ahead, and says nothing about the entries after it.
        return (old, fence, last, count < HistoryWalk.Chunk || (created > kept.Latest && created <= now));
    }

    private static Func<long, long?> BeginDelete(SqliteSession session, long fence)
    {
        // While a claim lists an entry, the entry's outcome prevents the claim from being released, so do not delete it. Claims made after
        // the entry's end do not list it.
        var listed = new HashSet<long>();
        var statement = session.Get(ClaimSql.EntriesUpTo).Bind(1, fence);
        while (statement.Step())
        {
            listed.Add(statement.Int64(0));
        }

        return entry => listed.Contains(entry) ? null : DeleteEntry(session, entry, fence);
    }

    private static long? DeleteEntry(SqliteSession session, long entry, long fence)
    {
        // An operator may have retried the entry since the search, and it may have ended again. If another program has put it back, its row
        // of waiting refers to it: it goes after it was claimed.
        if (session.Get(OutcomeSql.FindFinal).Bind(1, entry).Scalar() is not { } final || final > fence
            || session.Get(OperationSql.Place).Bind(1, entry).Exists())
        {
            return null;
        }

        var size = session.Get(RetentionSql.EntrySize).Bind(1, entry).Scalar();
        session.Get(OutcomeSql.Delete).Bind(1, entry).Execute();
        session.Get(ProgressSql.DeleteSteps).Bind(1, entry).Execute();
        session.Get(ProgressSql.DeleteCheckpoint).Bind(1, entry).Execute();
        session.Get(RunInfoSql.DeleteReport).Bind(1, entry).Execute();
        session.Get(RunInfoSql.DeleteLog).Bind(1, entry).Execute();
        session.Get(EntrySql.RemoveCancel).Bind(1, entry).Execute();
        session.Get(EntrySql.FreeKey).Bind(1, entry).Execute();
        session.Get(EntrySql.Delete).Bind(1, entry).Execute();
        return size ?? 0;
    }

    // An ended task without an entry cannot change any more, so a reader can search for it.
    private static List<Guid> FindTasks(SqliteSession session, Kept kept)
    {
        var tasks = new List<Guid>();
        var statement = session.Get(RetentionSql.Tasks).Bind(1, kept.Completed).Bind(
            2, kept.Failed).Bind(3, kept.Cancelled).Bind(4, kept.Latest).Bind(5, DeleteLimit);
        while (statement.Step())
        {
            if (statement.Bytes(0).Length == 16)
            {
                tasks.Add(statement.Guid(0));
            }
        }

        return tasks;
    }

    private static long? DeleteTask(SqliteSession session, Guid task)
    {
        var size = session.Get(RetentionSql.TaskSize).Bind(1, task).Scalar();
        session.Get(ProgressSql.DeleteTaskSteps).Bind(1, task).Execute();
        session.Get(ProgressSql.DeleteTaskCheckpoint).Bind(1, task).Execute();
        session.Get(RetentionSql.DeleteTask).Bind(1, task).Execute();
        return size ?? 0;
    }

    private static List<Guid> DeleteNodes(SqliteSession session, long deadBefore)
    {
        var (numbers, ids) = (new List<long>(), new List<Guid>());
        var statement = session.Get(NodeSql.Forgotten).Bind(1, deadBefore);
        while (statement.Step())
        {
            numbers.Add(statement.Int64(0));

            // A node that was not registered by this library has no files.
            if (statement.Bytes(1).Length == 16)
            {
                ids.Add(statement.Guid(1));
            }
        }

        foreach (var number in numbers)
        {
            session.Get(NodeSql.Delete).Bind(1, number).Execute();
        }

        return ids;
    }

    /// <summary>The end times up to which entries are expired.</summary>
    private sealed record Kept(long Completed, long Failed, long Cancelled)
    {
        public long Latest => Math.Max(Completed, Math.Max(Failed, Cancelled));

        public long Until(OutcomeKind kind) => kind switch
        {
            OutcomeKind.Completed => Completed,
            OutcomeKind.Failed => Failed,
            _ => Cancelled,
        };
    }
}
