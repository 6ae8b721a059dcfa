using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

internal sealed partial class SqliteQueueStore
{
    private const int WalkLimit = 5000;
    private const int DeleteLimit = 2000;

    private static readonly long NodesKept = Micros.From(TimeSpan.FromHours(1));

    // Where the walk over the history has got to. It begins at the front again when it has come to what is too young.
    private long _walked;

    /// <summary>Walks over the history on a reader and deletes what it found in small transactions, so that claims and outcomes hardly wait.</summary>
    public async ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken)
    {
        var now = _database.Now();
        var kept = new Kept(now - Micros.From(retention.Completed), now - Micros.From(retention.Failed), now - Micros.From(retention.Cancelled));
        var (old, fence, last, isEnd) = await _database.ReadAsync(session => Walk(session, _walked, kept), cancellationToken).ConfigureAwait(false);
        foreach (var chunk in old.Chunk(DeleteLimit))
        {
            await _database.WriteAsync(session => DeleteEntries(session, chunk, fence), cancellationToken).ConfigureAwait(false);
        }

        _walked = isEnd ? 0 : last;
        if (!isEnd)
        {
            return true;
        }

        var tasksLeft = await _database.WriteAsync(session => DeleteTasks(session, kept), cancellationToken).ConfigureAwait(false) == DeleteLimit;
        var nodes = await _database.WriteAsync(session => DeleteNodes(session, Math.Min(kept.Completed, Math.Min(kept.Failed, kept.Cancelled)) - NodesKept), cancellationToken)
            .ConfigureAwait(false);
        nodes.ForEach(_database.Locks.Remove);
        return tasksLeft;
    }

    private static (List<long> Old, long Fence, long Last, bool IsEnd) Walk(SqliteSession session, long after, Kept kept)
    {
        var old = new List<long>();
        var (count, last, fence) = (0, after, 0L);
        var statement = session.Get(RetentionSql.Walk).Bind(1, after).Bind(2, kept.Latest).Bind(3, WalkLimit);
        while (statement.Step())
        {
            count++;
            last = statement.Int64(0);
            if (!statement.IsNull(1) && statement.Int64(2) <= kept.Until((OutcomeKind)statement.Int32(1)))
            {
                old.Add(last);
                fence = Math.Max(fence, statement.Int64(3));
            }
        }

        return (old, fence, last, count < WalkLimit);
    }

    private static int DeleteEntries(SqliteSession session, long[] entries, long fence)
    {
        // While a claim lists an entry, its outcome is what keeps the claim from being given back. No claim made after an entry's end lists it.
        var listed = new HashSet<long>();
        var statement = session.Get(ClaimSql.EntriesUpTo).Bind(1, fence);
        while (statement.Step())
        {
            listed.Add(statement.Int64(0));
        }

        var deleted = 0;
        foreach (var entry in entries)
        {
            // Put back by an operator since it was found, it may have ended anew.
            if (listed.Contains(entry) || session.Get(OutcomeSql.FindFinal).Bind(1, entry).Scalar() is not { } final || final > fence)
            {
                continue;
            }

            session.Get(OutcomeSql.Delete).Bind(1, entry).Execute();
            session.Get(ProgressSql.DeleteSteps).Bind(1, entry).Execute();
            session.Get(ProgressSql.DeleteCheckpoint).Bind(1, entry).Execute();
            session.Get(EntrySql.RemoveCancel).Bind(1, entry).Execute();
            session.Get(EntrySql.FreeKey).Bind(1, entry).Execute();
            session.Get(EntrySql.Delete).Bind(1, entry).Execute();
            deleted++;
        }

        return deleted;
    }

    private static int DeleteTasks(SqliteSession session, Kept kept)
    {
        var tasks = new List<Guid>();
        var statement = session.Get(RetentionSql.Tasks).Bind(1, kept.Completed).Bind(2, kept.Failed).Bind(3, kept.Cancelled).Bind(4, kept.Latest).Bind(5, DeleteLimit);
        while (statement.Step())
        {
            tasks.Add(statement.Guid(0));
        }

        foreach (var task in tasks)
        {
            session.Get(ProgressSql.DeleteTaskSteps).Bind(1, task).Execute();
            session.Get(ProgressSql.DeleteTaskCheckpoint).Bind(1, task).Execute();
            session.Get(RetentionSql.DeleteTask).Bind(1, task).Execute();
        }

        return tasks.Count;
    }

    private static List<Guid> DeleteNodes(SqliteSession session, long deadBefore)
    {
        var nodes = new List<(long Number, Guid Id)>();
        var statement = session.Get(NodeSql.Forgotten).Bind(1, deadBefore);
        while (statement.Step())
        {
            nodes.Add((statement.Int64(0), statement.Guid(1)));
        }

        foreach (var (number, _) in nodes)
        {
            session.Get(NodeSql.Delete).Bind(1, number).Execute();
        }

        return nodes.ConvertAll(static node => node.Id);
    }

    /// <summary>Until when ended entries are no longer kept.</summary>
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
