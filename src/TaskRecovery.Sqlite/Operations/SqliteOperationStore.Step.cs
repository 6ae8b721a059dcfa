using System.Globalization;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>The steps of an operation.</content>
internal sealed partial class SqliteOperationStore
{
    private const int StepSize = 500;

    private static readonly long FenceOfOther = long.Parse(Codes.FenceOfOther, CultureInfo.InvariantCulture);

    public async ValueTask<OperationStep> StepAsync(long operationId, CancellationToken cancellationToken)
    {
        var stored = await database.ReadAsync(session => Read(session, operationId), cancellationToken).ConfigureAwait(false);
        if (stored is null || stored.Operation.State != OperationState.Running)
        {
            return new OperationStep(stored?.Operation, Worked: false);
        }

        if (!stored.IsExecutable)
        {
            return await EndUnreadableAsync(operationId, cancellationToken).ConfigureAwait(false);
        }

        // Search with a reader, which does not block other writes. What changes until the write is seen there.
        var (ids, next) = stored.Operation.Undoes is null ? await NextAsync(stored, cancellationToken).ConfigureAwait(false) : ([], null);
        var waiting = new HashSet<string>(StringComparer.Ordinal);
        var hasRunning = false;
        var step = await database.WriteAsync(
            session =>
            {
                var current = Read(session, operationId);
                if (current is null || current.Operation.State != OperationState.Running || current.Position != stored.Position)
                {
                    // Another process has done this step, or the operation was stopped.
                    return new OperationStep(current?.Operation, Worked: false);
                }

                var moves = new EntryMoves(session, database.Names, database.Now());
                var (changes, end) = current.Operation.Undoes is { } undone
                    ? Undo(moves, current, undone)
                    : (Work(moves, current, ids), next);
                foreach (var change in changes.Where(static change => change is { Result: OperatorResult.Done }))
                {
                    hasRunning |= change.IsRunning;
                    if (change.Waits)
                    {
                        waiting.Add(SqliteQueueStore.QueueOf(session, change.Entry));
                    }
                }

                Advance(moves, current, changes, end);
                return new OperationStep(Read(session, operationId)!.Operation, Worked: true);
            },
            cancellationToken,
            isLong: true).ConfigureAwait(false);
        foreach (var queue in waiting)
        {
            database.Hints.Work(queue);
        }

        if (hasRunning)
        {
            database.Hints.Control();
        }

        return step;
    }

    // Its entries are not known any more. It ends, so that the operations after it continue.
    private ValueTask<OperationStep> EndUnreadableAsync(long operationId, CancellationToken cancellationToken)
        => database.WriteAsync(
            session =>
            {
                if (Read(session, operationId) is not { IsExecutable: false, Operation.State: OperationState.Running } stored)
                {
                    return new OperationStep(Read(session, operationId)?.Operation, Worked: false);
                }

                session.Get(OperationSql.Stop).Bind(1, operationId).Bind(2, database.Now()).Execute();
                EventWriter.Add(session, database.Now(), StoredOperation.Unreadable(stored.Operation));
                return new OperationStep(Read(session, operationId)!.Operation, Worked: true);
            },
            cancellationToken);

    // Finds what may match. Every condition is checked again in the write.
    private async ValueTask<(long[] Ids, long? Next)> NextAsync(StoredOperation stored, CancellationToken cancellationToken)
    {
        if (stored.Ids is { } given)
        {
            long[] left = [.. given.Where(id => id < stored.Position).Distinct().OrderDescending().Take(StepSize)];
            return (left, left.Length < StepSize ? null : left[^1]);
        }

        // Most entries that wait match, so a step examines few more than it changes.
        var query = stored.Operation.Query! with { Before = stored.Position, Limit = StepSize };
        query = query with { MaxExamined = new EntryConditions(query).AreActive ? 4 * StepSize : SqliteMonitorStore.Chunk };
        var page = await monitor.ListAsync(query, isForPerson: false, cancellationToken).ConfigureAwait(false);
        return ([.. page.Entries.Select(static entry => entry.Id)], page.NextBefore);
    }

    private static List<Change> Work(EntryMoves moves, StoredOperation stored, long[] ids)
    {
        var operation = stored.Operation;
        var changes = new List<Change>(ids.Length);

        // The query of an operation on given entries is only their scope. What is outside of it is refused like what does not exist, so
        // that the reason reveals nothing of it.
        var matching = operation.Query is { } query ? SqliteMonitorStore.Matching(moves.Session, query, ids) : null;
        var running = new Lazy<RunningEntries>(
            () => ids is [var one] ? RunningEntries.ReadOne(moves.Session, one) : RunningEntries.Read(moves.Session));
        foreach (var id in ids)
        {
            changes.Add(
                id > operation.UpToId ? new Change(id, OperatorResult.NotFound)
                : matching?.Contains(id) == false
                ? new Change(id, stored.Ids is null ? WhyNotMatching(moves.Session, operation.Action, id) : OperatorResult.NotFound)
                : operation.Action == BulkAction.Cancel ? Cancel(moves, id, running)
                : Retry(moves, id, operation.Retry ?? new RetryOptions()));
        }

        return changes;
    }

    private static OperatorResult WhyNotMatching(SqliteSession session, BulkAction action, long entry)
    {
        if (!session.Get(EntrySql.KindAndKey).Bind(1, entry).Exists())
        {
            return OperatorResult.NotFound;
        }

        if (FindEnd(session, entry) is not { } end)
        {
            return action == BulkAction.Cancel ? OperatorResult.Changed : OperatorResult.NotEnded;
        }

        return action == BulkAction.Cancel ? OperatorResult.AlreadyEnded
            : end.Kind == OutcomeKind.Completed ? OperatorResult.Completed
            : string.Equals(end.Reason, EndReasons.Erased, StringComparison.Ordinal) ? OperatorResult.Erased
            : OperatorResult.Changed;
    }

    private static Change Cancel(EntryMoves moves, long entry, Lazy<RunningEntries> running)
    {
        var place = Place(moves.Session, entry);
        var result = SqliteQueueStore.Cancel(moves, entry);
        return result != OperatorResult.Done ? new Change(entry, result)
            : place is null ? new Change(entry, result) { Fence = running.Value.Find(entry)?.Fence, IsRunning = true }
            : place with { Fence = moves.Session.Get(OperationSql.LastFence).Bind(1, entry).Scalar() };
    }

    private static Change Retry(EntryMoves moves, long entry, RetryOptions options)
    {
        var fence = FindEnd(moves.Session, entry)?.Fence;
        var result = SqliteQueueStore.Retry(moves, entry, options);
        return new Change(entry, result) { Fence = fence, Waits = true };
    }

    private static (List<Change> Changes, long? Next) Undo(EntryMoves moves, StoredOperation stored, long undone)
    {
        var changed = new List<Change>();
        var statement = moves.Session.Get(OperationSql.Changed).Bind(1, undone).Bind(2, stored.Position).Bind(3, StepSize);
        while (statement.Step())
        {
            changed.Add(new Change(statement.Int64(0), OperatorResult.Done)
            {
                Fence = statement.NullableInt64(1),
                RunAt = statement.NullableInt64(2),
                Level = statement.NullableInt64(3),
                Attempt = statement.NullableInt64(4),
                Crashes = statement.NullableInt64(5),
                IsRunning = statement.IsNull(2) && statement.Boolean(6),
            });
        }

        // A retry stored no place; neither did the cancellation of an entry that was running.
        return ([.. changed.Select(change => change switch
        {
            { RunAt: not null } => new Change(change.Entry, Restore(moves, change)) { Waits = true },
            { IsRunning: true } => Resume(moves, change),
            _ => new Change(change.Entry, EndAgain(moves, change.Entry, change.Fence)),
        })], changed.Count < StepSize ? null : changed[^1].Entry);
    }

    // The handler was asked to stop. If it has not stopped yet, the request is withdrawn. If it has, the entry runs again. If another
    // request followed, in this run or in a later one, the entry is left.
    private static Change Resume(EntryMoves moves, Change change)
    {
        var session = moves.Session;
        if (FindEnd(session, change.Entry) is { } end)
        {
            var isOurs = end.Kind == OutcomeKind.Cancelled && (change.Fence ?? end.Fence) == end.Fence
                && string.Equals(end.Reason, EndReasons.CancelRequested, StringComparison.Ordinal);
            return isOurs
                ? Retry(moves, change.Entry, new RetryOptions()) with { Fence = null }
                : new Change(change.Entry, OperatorResult.Changed);
        }

        if (!session.Get(EntrySql.KindAndKey).Bind(1, change.Entry).Exists())
        {
            return new Change(change.Entry, OperatorResult.NotFound);
        }

        var isLater = change.Fence is { } fence
            && (fence == FenceOfOther || session.Get(OutcomeSql.Exists).Bind(1, change.Entry).Bind(2, fence).Exists());
        if (isLater || !moves.IsCancelRequested(change.Entry))
        {
            return new Change(change.Entry, OperatorResult.Changed);
        }

        session.Get(EntrySql.RemoveCancel).Bind(1, change.Entry).Execute();
        return new Change(change.Entry, OperatorResult.Done);
    }

    private static (long Fence, OutcomeKind Kind, string? Reason)? FindEnd(SqliteSession session, long entry)
    {
        var statement = session.Get(OutcomeSql.FindFinal).Bind(1, entry);
        var end = statement.Step()
            ? (statement.Int64(0), (OutcomeKind)statement.Int32(1), statement.NullableText(2))
            : ((long, OutcomeKind, string?)?)null;
        statement.Reset();
        return end;
    }

    private static OperatorResult Restore(EntryMoves moves, Change change)
    {
        var session = moves.Session;
        if (FindEnd(session, change.Entry) is not { } end || end.Fence != change.Fence
            || string.Equals(end.Reason, EndReasons.Erased, StringComparison.Ordinal))
        {
            return session.Get(EntrySql.KindAndKey).Bind(1, change.Entry).Exists() ? OperatorResult.Changed : OperatorResult.NotFound;
        }

        if (!SqliteQueueStore.TryTakeKey(session, change.Entry))
        {
            return OperatorResult.KeyHeld;
        }

        session.Get(OutcomeSql.TakeFinal).Bind(1, change.Entry).Execute();
        session.Get(OperationSql.Restore)
            .Bind(1, change.Entry).Bind(2, change.RunAt).Bind(3, change.Level).Bind(4, change.Attempt).Bind(5, change.Crashes)
            .Bind(6, change.Fence).Bind(7, moves.Now).Execute();
        session.Get(OperationSql.ReopenTask).Bind(1, change.Entry).Execute();
        return OperatorResult.Done;
    }

    // Only if the entry has not run since it was retried.
    private static OperatorResult EndAgain(EntryMoves moves, long entry, long? fence)
        => fence is { } ended && moves.Session.Get(OperationSql.LastFence).Bind(1, entry).Scalar() == ended
            && moves.EndWaitingAgain(entry, ended)
            ? OperatorResult.Done
            : OperatorResult.Changed;

    private static Change? Place(SqliteSession session, long entry)
    {
        var statement = session.Get(OperationSql.Place).Bind(1, entry);
        var place = statement.Step()
            ? new Change(entry, OperatorResult.Done)
            {
                RunAt = statement.Int64(0),
                Level = statement.Int64(1),
                Attempt = statement.Int64(2),
                Crashes = statement.Int64(3),
            }
            : null;
        statement.Reset();
        return place;
    }

    private static void Advance(EntryMoves moves, StoredOperation stored, List<Change> changes, long? next)
    {
        var session = moves.Session;
        foreach (var change in changes)
        {
            session.Get(OperationSql.AddEntry)
                .Bind(1, stored.Operation.Id).Bind(2, change.Entry).Bind(3, (int)change.Result).Bind(4, change.Fence).Bind(5, change.RunAt)
                .Bind(6, change.Level).Bind(7, change.Attempt).Bind(8, change.Crashes).Execute();
        }

        var done = changes.Count(static change => change.Result == OperatorResult.Done);
        session.Get(OperationSql.Advance)
            .Bind(1, stored.Operation.Id).Bind(2, next ?? 0).Bind(3, done).Bind(4, changes.Count - done)
            .Bind(5, (int)(next is null ? OperationState.Ended : OperationState.Running))
            .Bind(6, next is null ? moves.Now : (long?)null).Execute();
        if (next is null)
        {
            EventWriter.Add(session, moves.Now, new NewEvent(QueueEventKind.OperationEnded, stored.Operation.Audit)
            {
                OperationId = stored.Operation.Id,
                EntryId = stored.OnlyEntry,
                Subject = stored.Operation.Action.ToString(),
                Entries = stored.Operation.Done + done,
            });
        }
    }

    /// <summary>What a step did to an entry.</summary>
    /// <param name="Entry">The entry.</param>
    /// <param name="Result">Whether it was changed, or why not.</param>
    private sealed record Change(long Entry, OperatorResult Result)
    {
        /// <summary>The fence of the outcome that was stored or taken back.</summary>
        public long? Fence { get; init; }

        /// <summary>The place at which a cancelled entry had waited.</summary>
        public long? RunAt { get; init; }

        public long? Level { get; init; }

        public long? Attempt { get; init; }

        public long? Crashes { get; init; }

        /// <summary>Whether the entry runs, so that its node has to be notified.</summary>
        public bool IsRunning { get; init; }

        /// <summary>Whether the entry waits again, so that its queue has to be notified.</summary>
        public bool Waits { get; init; }
    }
}
