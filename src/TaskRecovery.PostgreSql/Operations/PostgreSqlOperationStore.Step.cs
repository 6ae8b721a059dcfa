using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>The steps of an operation.</content>
internal sealed partial class PostgreSqlOperationStore
{
    private const int StepSize = 500;
    private const int Shrink = 8;
    private const int MaxExamined = 100_000;

    private readonly OperationCandidates _candidates = new();

    // How many entries the next step of an operation has, if a lock has made one wait.
    private readonly ConcurrentDictionary<long, int> _sizes = new();

    /// <summary>How long a step waits for a lock before it is given up and repeated with fewer entries; settable for tests.</summary>
    /// <remarks>A step has locked up to 500 entries when it waits, for example for a unique key that an open transaction of the application
    /// has taken. Outcomes of these entries wait for the step. With fewer entries it holds up few outcomes, and the entries that nothing
    /// has locked are changed.</remarks>
    internal TimeSpan PatienceForLocks { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How many entries the next step of an operation takes.</summary>
    internal int SizeOf(long operationId) => _sizes.TryGetValue(operationId, out var size) ? size : StepSize;

    public async ValueTask<OperationStep> StepAsync(long operationId, CancellationToken cancellationToken)
    {
        var queues = new HashSet<string>(StringComparer.Ordinal);
        var (step, hasRunning, waitsForLock) = ((BulkOperation?)null, false, false);
        for (var size = SizeOf(operationId); ; size = Math.Max(1, size / Shrink))
        {
            try
            {
                (step, hasRunning) = await StepOnceAsync(operationId, size, queues, cancellationToken).ConfigureAwait(false);

                // Without a step, another process is doing one, and its locks say nothing of the next one of this process.
                if (step is not null)
                {
                    KeepSize(operationId, step.State == OperationState.Running ? 2 * size : StepSize);
                }

                break;
            }
            catch (StoreUnavailableException exception) when (exception.IsLockTimeout)
            {
                // Nothing was changed.
                queues.Clear();
                KeepSize(operationId, Math.Max(1, size / Shrink));
                if (size == 1)
                {
                    waitsForLock = true;
                    break;
                }
            }
        }

        foreach (var name in queues)
        {
            queue.Hints.Work(name);
        }

        if (hasRunning)
        {
            queue.Hints.Control();
        }

        return step is null
            ? new OperationStep(
                await database.UseAsync((connection, token) => FindAsync(connection, operationId, null, token), cancellationToken)
                    .ConfigureAwait(false), Worked: false)
            {
                WaitsForLock = waitsForLock,
            }
            : new OperationStep(step, Worked: true);
    }

    private void KeepSize(long operationId, int size)
    {
        if (size < StepSize)
        {
            _sizes[operationId] = size;
        }
        else
        {
            _sizes.TryRemove(operationId, out _);
        }
    }

    // Returns no operation if it is not running, or if another process does a step of it.
    private ValueTask<(BulkOperation? Step, bool HasRunning)> StepOnceAsync(
        long operationId, int size, HashSet<string> queues, CancellationToken cancellationToken)
        => database.InTransactionAsync<(BulkOperation? Step, bool HasRunning)>(
            async (connection, token) =>
            {
                queues.Clear();
                var patience = ((long)PatienceForLocks.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
                await database.ListAsync(
                    connection, OperationSql.LimitWait, [Arg.Text(patience)], static _ => true, token).ConfigureAwait(false);
                if (await database.ListAsync(
                    connection, OperationSql.LockStep, [Arg.Int8(operationId)],
                    ReadOperation, token).ConfigureAwait(false) is not [var stored])
                {
                    return (null, false);
                }

                if (!stored.IsExecutable)
                {
                    return (await EndUnreadableAsync(connection, stored.Operation, token).ConfigureAwait(false), false);
                }

                var (changes, next) = await WorkAsync(connection, stored, size, queues, token).ConfigureAwait(false);
                return (await AdvanceAsync(connection, stored, changes, next, token).ConfigureAwait(false), changes.Any(
                    static change => change.IsRunning));
            },
            cancellationToken);

    // Its entries are not known any more. It ends, so that the operations after it continue.
    private async ValueTask<BulkOperation> EndUnreadableAsync(
        NpgsqlConnection connection, BulkOperation operation, CancellationToken cancellationToken)
    {
        var ended = (await database.ListAsync(
            connection, OperationSql.Stop, [Arg.Int8(operation.Id)], static row => ReadOperation(row).Operation, cancellationToken)
            .ConfigureAwait(false))[0];
        await database.AddEventAsync(connection, StoredOperation.Unreadable(ended), cancellationToken).ConfigureAwait(false);
        return ended;
    }

    // Returns what was done, and the position of the next step, or nothing after the last one.
    private async ValueTask<(IReadOnlyList<EntryChange> Changes, long? Next)> WorkAsync(
        NpgsqlConnection connection, StoredOperation stored, int size, HashSet<string> queues, CancellationToken cancellationToken)
    {
        if (stored.Operation.Undoes is { } undone)
        {
            return await UndoAsync(connection, stored, undone, size, queues, cancellationToken).ConfigureAwait(false);
        }

        var (found, next) = await NextAsync(connection, stored, size, cancellationToken).ConfigureAwait(false);
        long[] ids = [.. found.Where(id => id <= stored.Operation.UpToId)];
        if (stored is { Ids: not null, Operation.Query.Scope: { } scope } && ids.Length > 0)
        {
            // What is outside of the scope is refused like what does not exist, so that the reason reveals nothing of it.
            ids = await EntrySearch.MatchAsync(
                database, connection, new EntryQuery { Scope = scope }, ids, cancellationToken).ConfigureAwait(false);
        }

        var unseen = found.Except(ids).Select(static id => new EntryChange(id, OperatorResult.NotFound));
        var (query, retry) = (stored.Operation.Query, stored.Operation.Retry ?? new RetryOptions());
        IReadOnlyList<EntryChange> changes = ids.Length == 0 ? [] : (stored.Operation.Action, query) switch
        {
            (BulkAction.Cancel, null) => await queue.Changes.CancelAsync(
                connection, ids, EndReasons.CancelRequested, cancellationToken).ConfigureAwait(false),
            (BulkAction.Cancel, _) => await queue.Changes.CancelAsync(connection, ids, query, cancellationToken).ConfigureAwait(false),
            (_, null) => await queue.Changes.RetryAsync(connection, ids, retry, queues, cancellationToken).ConfigureAwait(false),
            _ => await queue.Changes.RetryAsync(connection, ids, query, retry, queues, cancellationToken).ConfigureAwait(false),
        };
        return ([.. changes, .. unseen], next);
    }

    // Finds what may match. Every condition is checked again when the entries are locked.
    private async ValueTask<(long[] Ids, long? Next)> NextAsync(
        NpgsqlConnection connection, StoredOperation stored, int size, CancellationToken cancellationToken)
    {
        if (stored.Ids is { } given)
        {
            long[] left = [.. given.Where(id => id < stored.Position).Distinct().OrderDescending().Take(size)];
            return (left, left.Length < size ? null : left[^1]);
        }

        var (id, position) = (stored.Operation.Id, stored.Position);
        var query = stored.Operation.Query! with { Before = position, MaxExamined = MaxExamined, Limit = size };
        if (_candidates.TryTake(id, position, size) is { } next)
        {
            return next;
        }

        var most = OperationCandidates.IsFor(query) ? OperationCandidates.Most : size;
        var (found, edge) = await database.ReadPlannedAsync(
            connection, token => EntrySearch.FindAsync(database, connection, query, most, token), cancellationToken).ConfigureAwait(false);
        return _candidates.Keep(id, position, found, found.Count == most ? found[^1] : edge, size);
    }

    private async ValueTask<(IReadOnlyList<EntryChange> Changes, long? Next)> UndoAsync(
        NpgsqlConnection connection, StoredOperation stored, long undone, int size, HashSet<string> queues,
        CancellationToken cancellationToken)
    {
        var changed = await database.ListAsync(
            connection,
            OperationSql.Changed,
            [Arg.Int8(undone), Arg.Int8(stored.Position), Arg.Int8(size)],
            static row => new EntryChange(row.GetInt64(0), OperatorResult.Done)
            {
                Fence = row.Int64OrNull(1),
                RunAt = row.IsDBNull(2) ? null : row.UtcTime(2),
                Level = row.Int16OrNull(3),
                Attempt = row.Int16OrNull(4),
                Crashes = row.Int16OrNull(5),
                IsRunning = row.IsDBNull(2) && row.GetBoolean(6),
            },
            cancellationToken).ConfigureAwait(false);
        long? next = changed.Count < size ? null : changed[^1].Entry;
        if (changed.Count == 0)
        {
            return ([], null);
        }

        // A retry stored no place; neither did the cancellation of an entry that was running.
        var waited = changed.FindAll(static change => change.RunAt is not null);
        var retried = changed.FindAll(static change => change is { RunAt: null, IsRunning: false });
        var ran = changed.FindAll(static change => change.IsRunning);
        return (
            [
                .. await RestoreAsync(connection, waited, queues, cancellationToken).ConfigureAwait(false),
                .. await EndAgainAsync(connection, retried, cancellationToken).ConfigureAwait(false),
                .. ran.Count == 0
                    ? []
                    : await queue.Changes.ResumeAsync(connection, undone, ran, queues, cancellationToken).ConfigureAwait(false),
            ], next);
    }

    private async ValueTask<IReadOnlyList<EntryChange>> RestoreAsync(
        NpgsqlConnection connection, List<EntryChange> waited, HashSet<string> queues, CancellationToken cancellationToken)
    {
        if (waited.Count == 0)
        {
            return [];
        }

        // Before the entries: all other transactions that lock a job and its entries lock the job first.
        long[] ids = [.. waited.Select(static change => change.Entry)];
        await database.ListAsync(
            connection, PausedRunSql.LockJobs, [Ids(ids)], static _ => true, cancellationToken).ConfigureAwait(false);
        var cancelled = await queue.Changes.LockCancelledAsync(connection, waited, cancellationToken).ConfigureAwait(false);
        var restored = await database.ListAsync(
            connection,
            OperationSql.Restore,
            [
                Ids(ids), Ids([.. waited.Select(static change => change.Fence!.Value)]),
                Arg.Array([.. waited.Select(static change => change.RunAt!.Value)], NpgsqlDbType.TimestampTz),
                Small(waited, static change => change.Level), Small(waited, static change => change.Attempt),
                Small(waited, static change => change.Crashes),
            ],
            row =>
            {
                queues.Add(row.GetString(1));
                return new EntryChange(row.GetInt64(0), OperatorResult.Done);
            },
            cancellationToken).ConfigureAwait(false);
        var keyHeld = cancelled.Except(restored.Select(static change => change.Entry)).Select(
            static id => new EntryChange(id, OperatorResult.KeyHeld));
        return await queue.Changes.ExplainAsync(
            connection, ids, [.. restored, .. keyHeld], static _ => OperatorResult.Changed, cancellationToken).ConfigureAwait(false);
    }

    // Only entries that have not run since they were retried.
    private async ValueTask<IReadOnlyList<EntryChange>> EndAgainAsync(
        NpgsqlConnection connection, List<EntryChange> retried, CancellationToken cancellationToken)
    {
        if (retried.Count == 0)
        {
            return [];
        }

        long[] ids = [.. retried.Select(static change => change.Entry)];
        await queue.Changes.LockAsync(connection, ids, cancellationToken).ConfigureAwait(false);
        var unrun = (await database.ListAsync(
            connection, OperationSql.Unrun, [Ids(ids), Ids([.. retried.Select(static change => change.Fence!.Value)])],
            static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false)).ToHashSet();
        EntryChange[] left = [.. retried.Where(change => unrun.Contains(change.Entry))];
        var ended = await database.ListAsync(
            connection, OperationSql.EndAgain,
            [Ids([.. left.Select(static change => change.Entry)]), Ids([.. left.Select(static change => change.Fence!.Value)])],
            static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false);
        var done = ended.ToHashSet();
        return [.. ids.Select(id => new EntryChange(id, done.Contains(id) ? OperatorResult.Done : OperatorResult.Changed))];
    }

    private async ValueTask<BulkOperation> AdvanceAsync(
        NpgsqlConnection connection, StoredOperation stored,
        IReadOnlyList<EntryChange> changes, long? next, CancellationToken cancellationToken)
    {
        if (changes.Count > 0)
        {
            await database.ExecuteAsync(
                connection,
                OperationSql.AddEntries,
                [
                    Arg.Int8(stored.Operation.Id), Ids([.. changes.Select(static change => change.Entry)]),
                    Arg.Array([.. changes.Select(static change => (short)change.Result)], NpgsqlDbType.Smallint),
                    Arg.Array([.. changes.Select(static change => change.Fence)], NpgsqlDbType.Bigint),
                    Arg.Array([.. changes.Select(static change => change.RunAt)], NpgsqlDbType.TimestampTz),
                    Small(changes, static change => change.Level), Small(changes, static change => change.Attempt),
                    Small(changes, static change => change.Crashes),
                ],
                cancellationToken).ConfigureAwait(false);
        }

        var done = changes.Count(static change => change.Result == OperatorResult.Done);
        var operation = (await database.ListAsync(
            connection,
            OperationSql.Advance,
            [Arg.Int8(stored.Operation.Id), Arg.Int8(next ?? 0), Arg.Int8(done), Arg.Int8(changes.Count - done), Arg.Bool(next is null)],
            static row => ReadOperation(row).Operation,
            cancellationToken).ConfigureAwait(false))[0];
        if (next is null)
        {
            await database.AddEventAsync(
                connection,
                new NewEvent(QueueEventKind.OperationEnded, operation.Audit)
                {
                    OperationId = operation.Id,
                    EntryId = stored.OnlyEntry,
                    Subject = operation.Action.ToString(),
                    Entries = operation.Done,
                },
                cancellationToken).ConfigureAwait(false);
        }

        return operation;
    }

    private static NpgsqlParameter Small(IReadOnlyList<EntryChange> changes, Func<EntryChange, short?> value)
        => new() { Value = changes.Select(value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint };
}
