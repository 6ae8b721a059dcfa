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
                var locked = await _database.ReadAsync(
                    connection, RecoverySql.LockOwnClaims, [Arg.Uuid(nodeId), Arg.Array([.. fences], NpgsqlDbType.Bigint)],
                    ReadNumbersAsync, token).ConfigureAwait(false);
                var requested = await _database.ReadAsync(
                    connection, RecoverySql.LockRequested, [Arg.Array([.. locked], NpgsqlDbType.Bigint)],
                    ReadNumbersAsync, token).ConfigureAwait(false);
                return await _database.ReadAsync(
                    connection, RecoverySql.Release,
                    [Arg.Array([.. locked], NpgsqlDbType.Bigint), Arg.Array([.. requested], NpgsqlDbType.Bigint)],
                    ReadSettledAsync, token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        KnownClaims.Forget(fences);
        SendHints(items);
        return items.Count(item => item.Item.Action == RecoveryAction.Recovered);
    }

    public async ValueTask<RecoveryReport> SweepAsync(int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
    {
        List<int> dead = [];
        IReadOnlyList<long> requested = [];
        await _database.ReadEachAsync(
            [new(RecoverySql.DeadNodes), new(CancelRequestSql.FindWaiting)],
            async (number, reader, token) =>
            {
                if (number == 0)
                {
                    dead = await ReadNodesAsync(reader, token).ConfigureAwait(false);
                }
                else
                {
                    requested = await ReadNumbersAsync(reader, token).ConfigureAwait(false);
                }
            },
            cancellationToken).ConfigureAwait(false);
        var report = new List<RecoveryItem>();
        foreach (var node in dead)
        {
            var items = await _database.InTransactionAsync(
                (connection, token) => SweepNodeAsync(connection, node, maxCrashes, audit, token), cancellationToken).ConfigureAwait(false);
            SendHints(items);
            report.AddRange(items.Select(item => item.Item));
        }

        if (requested.Count > 0)
        {
            await TryEndRequestedAsync([.. requested], cancellationToken).ConfigureAwait(false);
        }

        return report.Count == 0 ? RecoveryReport.Empty : new RecoveryReport(report);
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
        var mine = await _database.ReadAsync(
            connection, RecoverySql.LockNode, [Arg.Int4(node)], ReadNodesAsync, cancellationToken).ConfigureAwait(false);
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
        // cancel request of an entry is about to be withdrawn.
        IReadOnlyList<long> whole = [], requested = [];
        await _database.ReadEachAsync(
            connection,
            [
                new(RecoverySql.LockWhole, Arg.Array([.. claims], NpgsqlDbType.Bigint)),
                new(RecoverySql.LockRequested, Arg.Array([.. claims], NpgsqlDbType.Bigint)),
            ],
            async (number, reader, token) =>
            {
                var found = await ReadNumbersAsync(reader, token).ConfigureAwait(false);
                (whole, requested) = number == 0 ? (found, requested) : (whole, found);
            },
            commits: false,
            cancellationToken).ConfigureAwait(false);
        long[] inPart = whole.Count == claims.Count ? [] : [.. claims.Except(whole)];
        var entries = inPart.Length == 0
            ? []
            : await _database.ReadAsync(
                connection, RecoverySql.LockEntries, [Arg.Array(inPart, NpgsqlDbType.Bigint)],
                ReadNumbersAsync, cancellationToken).ConfigureAwait(false);
        return await _database.ReadAsync(
            connection,
            RecoverySql.Sweep,
            [Arg.Array([.. claims], NpgsqlDbType.Bigint), Arg.Int4(maxCrashes), Arg.Array(inPart, NpgsqlDbType.Bigint), Arg.Array(
                [.. entries], NpgsqlDbType.Bigint), Arg.Array([.. requested], NpgsqlDbType.Bigint)],
            ReadSettledAsync,
            cancellationToken).ConfigureAwait(false);
    }

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
