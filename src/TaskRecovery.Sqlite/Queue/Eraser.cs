using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Ends entries that have not ended and blanks the data that the application stored in them.</summary>
internal sealed class Eraser(SqliteDatabase database, SqliteQueueStore store, AuditInfo audit)
{
    /// <summary>The number of entries to scan in one read when searching by key or metadata.</summary>
    private const long Chunk = 50_000;

    internal async ValueTask<int> EraseAsync(EraseTarget target, CancellationToken cancellationToken)
    {
        if (target.EntryId is { } id)
        {
            return await EraseAsync([id], cancellationToken).ConfigureAwait(false);
        }

        var last = await database.ReadAsync(static session => session.Get(EraseSql.Last).Scalar() ?? 0, cancellationToken)
            .ConfigureAwait(false);
        var erased = 0;
        for (long after = 0; after < last; after += Chunk)
        {
            var (from, upTo) = (after, Math.Min(after + Chunk, last));
            var found = await database.ReadAsync(session => Find(session, target, from, upTo), cancellationToken).ConfigureAwait(false);
            erased += await EraseAsync(found, cancellationToken).ConfigureAwait(false);
        }

        return erased;
    }

    private async ValueTask<int> EraseAsync(List<long> entries, CancellationToken cancellationToken)
    {
        var anyRan = false;
        return await store.InPartsAsync(
            entries,
            session => entry =>
            {
                var size = session.Get(RetentionSql.EntrySize).Bind(1, entry).Scalar() ?? 0;
                return Erase(session, entry, ref anyRan) ? size : null;
            },
            cancellationToken,
            committed: () =>
            {
                if (anyRan)
                {
                    anyRan = false;
                    database.Hints.Control();
                }
            }).ConfigureAwait(false);
    }

    private static List<long> Find(SqliteSession session, EraseTarget target, long after, long upTo)
    {
        var found = new List<long>();
        long? kind = null;
        if (target.Kind is { } name && (kind = SqliteNames.FindKind(session, name)) is null)
        {
            return found;
        }

        var statement = session.Get(target.Metadata is null ? EraseSql.FindByKey : EraseSql.FindByMetadata)
            .Bind(1, after).Bind(2, upTo)
            .Bind(3, target.Metadata is { } pair ? StoredMetadata.Quoted(pair.Value) : target.UniqueKey).Bind(4, kind);
        while (statement.Step())
        {
            if (target.Metadata is not { } asked || StoredMetadata.Has(statement.NullableText(1), asked))
            {
                found.Add(statement.Int64(0));
            }
        }

        return found;
    }

    private bool Erase(SqliteSession session, long entry, ref bool ran)
    {
        if (!session.Get(EntrySql.KindAndKey).Bind(1, entry).Exists())
        {
            return false;
        }

        var moves = new EntryMoves(session, database.Names, database.Now());
        if (!session.Get(OutcomeSql.FindFinal).Bind(1, entry).Exists()
            && !moves.EndWaiting(entry, OutcomeKind.Cancelled, EndReasons.Erased))
        {
            ran |= EndRunning(moves, entry);
        }

        var task = TaskMoves.Find(session, entry);
        session.Get(EraseSql.Entry).Bind(1, entry).Execute();
        session.Get(EraseSql.Outcomes).Bind(1, entry).Execute();
        session.Get(EraseSql.Task).Bind(1, entry).Execute();
        session.Get(EraseSql.Steps).Bind(1, entry).Bind(2, task).Execute();
        session.Get(EraseSql.Checkpoint).Bind(1, entry).Bind(2, task).Execute();
        session.Get(RunInfoSql.DeleteReport).Bind(1, entry).Execute();
        session.Get(RunInfoSql.DeleteLog).Bind(1, entry).Execute();
        EventWriter.Add(session, moves.Now, new NewEvent(QueueEventKind.EntryErased, audit) { EntryId = entry });
        return true;
    }

    // End the run under its claim's own fence, as a sweep does, so that an outcome of its node is rejected. Keep the cancel request, so
    // that the node notices it.
    private static bool EndRunning(EntryMoves moves, long entry)
    {
        var session = moves.Session;
        if (RunningEntries.ReadOne(session, entry).Find(entry) is not { } run)
        {
            return false;
        }

        var duration = Math.Max(0, moves.Now - Micros.From(run.ClaimedAt));
        moves.End(
            new Run(entry, run.Fence, run.NodeNumber, run.Attempt + 1, run.Crashes, duration, MayHaveTask: true),
            OutcomeKind.Cancelled, [], null, EndReasons.Erased);
        session.Get(EntrySql.RequestCancel).Bind(1, entry).Bind(2, moves.Now).Execute();
        return true;
    }
}
