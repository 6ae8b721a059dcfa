using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Recovers entries that dead nodes or lost answers left in claims.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public ValueTask<IReadOnlyList<long>> ListClaimsAsync(Guid nodeId, CancellationToken cancellationToken)
        => _database.ReadOnPrimaryAsync(ClaimSql.List, [Arg.Uuid(nodeId)], ReadNumbersAsync, cancellationToken);

    public async ValueTask<int> ReleaseClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken)
    {
        var items = await _database.InTransactionAsync(
            async (connection, token) =>
            {
                var locked = Numbers(await _database.ReadLastAsync(
                    connection,
                    [_database.LimitLocks, new(RecoverySql.LockOwnClaims, Arg.Uuid(nodeId), Numbers(fences))],
                    ReadNumbersAsync, commits: false, token).ConfigureAwait(false));
                var found = await ReadListsAsync(
                    connection, [new(RecoverySql.LockRequested, locked), new(RecoverySql.LockTasks, locked)], token).ConfigureAwait(false);
                return await _database.ReadAsync(
                    connection, RecoverySql.Release, [locked, Numbers(found[0]), Numbers(found[1])], ReadSettledAsync, token)
                    .ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        KnownClaims.Forget(fences);
        SendHints(items);
        return items.Count(item => item.Item.Action == RecoveryAction.Recovered);
    }

    public async ValueTask<RecoveryReport> SweepAsync(int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
    {
        var dead = new List<(int Number, string Name)>();
        IReadOnlyList<long> requested = [];
        await _database.ReadEachAsync(
            [new(RecoverySql.DeadNodes), new(CancelRequestSql.FindWaiting)],
            async (number, reader, token) =>
            {
                if (number > 0)
                {
                    requested = await ReadNumbersAsync(reader, token).ConfigureAwait(false);
                    return;
                }

                // The call is repeated after some errors.
                dead.Clear();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    dead.Add((reader.GetInt32(0), reader.GetString(1)));
                }
            },
            cancellationToken).ConfigureAwait(false);
        var report = await NodeSweeps.RunAsync(
            dead,
            static node => node.Name,
            async (node, items) =>
            {
                var swept = await _database.InTransactionAsync(
                    (connection, token) => SweepNodeAsync(connection, node.Number, maxCrashes, audit, token), cancellationToken)
                    .ConfigureAwait(false);
                SendHints(swept);
                items.AddRange(swept.Select(static item => item.Item));
            }).ConfigureAwait(false);
        if (requested.Count > 0)
        {
            await TryEndRequestedAsync([.. requested], cancellationToken).ConfigureAwait(false);
        }

        return report;
    }

    private async ValueTask TryEndRequestedAsync(long[] entries, CancellationToken cancellationToken)
    {
        try
        {
            await _database.InTransactionAsync(
                async (connection, token) =>
                {
                    await _database.ExecuteAsync(connection, StartSql.LimitWait, [], token).ConfigureAwait(false);
                    return await Changes.EndRequestedAsync(connection, entries, token).ConfigureAwait(false);
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // A row stays locked, or the store is gone. The report of what was swept must not be lost; the next sweep finds these entries
            // again.
        }
    }

    public ValueTask<IReadOnlyList<string>> CheckInvariantsAsync(CancellationToken cancellationToken)
        => _database.ReadAsync(
            RecoverySql.Invariant,
            [],
            async (reader, token) =>
            {
                var lines = new List<string>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    lines.Add(reader.GetString(0));
                }

                return (IReadOnlyList<string>)lines;
            },
            cancellationToken);

    // Lock first, then judge with a new snapshot, so that it contains every outcome that was stored before the locks.
    private async ValueTask<List<(RecoveryItem Item, string Queue)>> SweepNodeAsync(
        NpgsqlConnection connection, int node, int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
    {
        var mine = await _database.ReadLastAsync(
            connection, [_database.LimitLocks, new(RecoverySql.LockNode, Arg.Int4(node))], ReadNodesAsync, commits: false,
            cancellationToken).ConfigureAwait(false);
        if (mine.Count == 0)
        {
            return [];
        }

        var claims = await _database.ReadAsync(
            connection, RecoverySql.LockClaims, [Arg.Int4(node)], ReadNumbersAsync, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach(FaultPoints.SweepMiddle);
        var items = claims.Count == 0 ? [] : await SweepClaimsAsync(connection, claims, maxCrashes, cancellationToken)
            .ConfigureAwait(false);
        await RecordSweepAsync(connection, items, audit, cancellationToken).ConfigureAwait(false);
        await _database.ExecuteAsync(connection, RecoverySql.MarkSwept, [Arg.Int4(node)], cancellationToken).ConfigureAwait(false);
        return items;
    }

    private async ValueTask RecordSweepAsync(
        NpgsqlConnection connection, List<(RecoveryItem Item, string Queue)> items, AuditInfo? audit, CancellationToken cancellationToken)
    {
        if (items.Count > 0)
        {
            var swept = new NewEvent(QueueEventKind.Swept) { Node = items[0].Item.Node, Entries = items.Count };
            await _database.AddEventAsync(connection, swept, cancellationToken).ConfigureAwait(false);
            if (audit is not null)
            {
                await _database.AddEventAsync(
                    connection, swept with { Kind = QueueEventKind.WorkRecovered, Audit = audit }, cancellationToken)
                    .ConfigureAwait(false);
            }
        }

        foreach (var (item, _) in items.Where(
            static item => string.Equals(item.Item.Reason, EndReasons.CrashLoop, StringComparison.Ordinal)))
        {
            await _database.AddEventAsync(
                connection, new NewEvent(QueueEventKind.CrashLoop) { Node = item.Node, EntryId = item.EntryId, Subject = item.Kind },
                cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<List<(RecoveryItem Item, string Queue)>> SweepClaimsAsync(
        NpgsqlConnection connection, IReadOnlyList<long> claims, int maxCrashes, CancellationToken cancellationToken)
    {
        // If a caller's transaction is about to end an entry, skip this entry but sweep the others of its claim. The same applies if the
        // cancel request of an entry is about to be withdrawn, or if another transaction has locked its task.
        var all = Numbers(claims);
        var found = await ReadListsAsync(
            connection,
            [new(RecoverySql.LockWhole, all), new(RecoverySql.LockRequested, all), new(RecoverySql.LockTasks, all)],
            cancellationToken).ConfigureAwait(false);
        var (whole, requested, lockedTasks) = (found[0], found[1], found[2]);
        var inPart = Numbers(whole.Count == claims.Count ? [] : [.. claims.Except(whole)]);
        IReadOnlyList<long> entries = whole.Count == claims.Count ? [] : await _database.ReadAsync(
            connection, RecoverySql.LockEntries, [inPart], ReadNumbersAsync, cancellationToken).ConfigureAwait(false);
        return await _database.ReadAsync(
            connection,
            RecoverySql.Sweep,
            [all, Arg.Int4(maxCrashes), inPart, Numbers(entries), Numbers(requested), Numbers(lockedTasks)],
            ReadSettledAsync,
            cancellationToken).ConfigureAwait(false);
    }

    // Runs the statements in one round trip, each with a snapshot of its own, and reads a list of numbers from each.
    private async ValueTask<IReadOnlyList<long>[]> ReadListsAsync(
        NpgsqlConnection connection, Statement[] statements, CancellationToken cancellationToken)
    {
        var lists = new IReadOnlyList<long>[statements.Length];
        await _database.ReadEachAsync(
            connection,
            statements,
            async (number, reader, token) => lists[number] = await ReadNumbersAsync(reader, token).ConfigureAwait(false),
            commits: false,
            cancellationToken).ConfigureAwait(false);
        return lists;
    }

    private static NpgsqlParameter Numbers(IReadOnlyList<long> numbers) => Arg.Array([.. numbers], NpgsqlDbType.Bigint);

    private void SendHints(List<(RecoveryItem Item, string Queue)> items)
    {
        foreach (var (item, queue) in items)
        {
            if (item.Action == RecoveryAction.Recovered)
            {
                Hints.Work(queue);
            }
        }
    }

    private static async ValueTask<List<(RecoveryItem Item, string Queue)>> ReadSettledAsync(
        NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var items = new List<(RecoveryItem Item, string Queue)>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var item = new RecoveryItem
            {
                Action = reader.GetBoolean(1) ? RecoveryAction.Closed : RecoveryAction.Recovered,
                EntryId = reader.GetInt64(0),
                Crashes = reader.GetInt16(2),
                Reason = reader.IsDBNull(3) ? null : reader.GetString(3),
                Kind = reader.GetString(4),
                Queue = reader.GetString(5),
                Node = reader.GetString(6),
                TaskId = reader.IsDBNull(7) ? null : reader.GetGuid(7),
                NodeDied = reader.GetBoolean(8),
            };
            items.Add((item, reader.GetString(5)));
        }

        return items;
    }

    private static async ValueTask<IReadOnlyList<long>> ReadNumbersAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var numbers = new List<long>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            numbers.Add(reader.GetInt64(0));
        }

        return numbers;
    }

    private static async ValueTask<List<int>> ReadNodesAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var numbers = new List<int>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            numbers.Add(reader.GetInt32(0));
        }

        return numbers;
    }
}
