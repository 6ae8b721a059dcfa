using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Queries and commands of an operator.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public async ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken)
        => (await ReadEntriesAsync([entryId], withPayloads: true, cancellationToken).ConfigureAwait(false)).FirstOrDefault();

    public async ValueTask<EntryPage> ListAsync(EntryFilter filter, CancellationToken cancellationToken)
    {
        var query = EntryFilterQuery.Of(filter);
        var (ids, next) = await _database.InTransactionAsync(
            async (connection, token) =>
            {
                await _database.ListAsync(connection, OperatorSql.UseCustomPlan, [], static _ => true, token).ConfigureAwait(false);
                return await EntrySearch.FindPageAsync(_database, connection, query, token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        var entries = ids.Length == 0 ? [] : await ReadEntriesAsync(ids, filter.WithPayloads, cancellationToken).ConfigureAwait(false);

        // Skip entries whose state changed between the two statements.
        return new EntryPage([.. entries.Where(entry => filter.State is not { } state || entry.State == state)], next);
    }

    public ValueTask<QueueCounts> CountAsync(string? queue, CancellationToken cancellationToken)
        => _database.ReadAsync(
            OperatorSql.Count,
            [Arg.Text(queue), Arg.Int8(MonitorLimits.Counted)],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return new QueueCounts(
                    Due: Counted(Math.Min(reader.GetInt64(0), MonitorLimits.Counted), reader.GetInt64(0) > MonitorLimits.Counted),
                    Later: Counted(Math.Min(reader.GetInt64(1), MonitorLimits.Counted), reader.GetInt64(1) > MonitorLimits.Counted),
                    Running: Counted(reader.GetInt64(2), reader.GetBoolean(3)),
                    Completed: Counted(reader.GetInt64(4), reader.GetBoolean(5)),
                    Failed: Counted(reader.GetInt64(6), reader.GetBoolean(8)),
                    Cancelled: Counted(reader.GetInt64(7), reader.GetBoolean(8)));
            },
            cancellationToken);

    private static Count Counted(long value, bool thereAreMore) => new(value, thereAreMore ? CountPrecision.AtLeast : CountPrecision.Exact);

    public async ValueTask<OperatorResult> CancelAsync(long entryId, AuditInfo audit, CancellationToken cancellationToken)
    {
        var change = await ChangeAsync(
            entryId,
            new NewEvent(QueueEventKind.EntryCancelled, audit),
            (connection, token) => Changes.CancelAsync(connection, [entryId], EndReasons.CancelRequested, token),
            cancellationToken).ConfigureAwait(false);
        if (change.IsRunning)
        {
            Hints.Control();
        }

        return change.Result;
    }

    public async ValueTask<OperatorResult> RetryAsync(
        long entryId, RetryOptions options, AuditInfo audit, CancellationToken cancellationToken)
    {
        var queues = new HashSet<string>(StringComparer.Ordinal);
        var change = await ChangeAsync(
            entryId,
            new NewEvent(QueueEventKind.EntryRetried, audit) { Detail = RetryText.Of(options) },
            (connection, token) => Changes.RetryAsync(connection, [entryId], options, queues, token),
            cancellationToken).ConfigureAwait(false);
        foreach (var queue in queues)
        {
            Hints.Work(queue);
        }

        return change.Result;
    }

    public ValueTask<int> EraseAsync(EraseTarget target, AuditInfo audit, CancellationToken cancellationToken)
        => new Eraser(_database, this, audit).EraseAsync(target, cancellationToken);

    public async ValueTask<OperatorResult> SetPausedAsync(
        PauseTarget target, PauseInfo? pause, AuditInfo audit, CancellationToken cancellationToken)
    {
        var (name, mayAdd) = (target.KindName ?? target.QueueName!, pause is not null && target.MayBeNew);
        var result = await _database.InTransactionAsync(
            async (connection, token) =>
            {
                if (pause is { Until: not null })
                {
                    PauseRules.CheckEnd(pause, await _database.ReadTimeAsync(connection, token).ConfigureAwait(false));
                }

                var held = await _database.ListAsync<PauseInfo?>(
                    connection, target.KindName is null ? OperatorSql.LockPause : OperatorSql.LockKindPause, [Arg.Text(name)],
                    static row => PostgreSqlMonitorStore.ReadPause(row, 0), token).ConfigureAwait(false);
                if (held.Count == 0 && !mayAdd)
                {
                    return OperatorResult.NotFound;
                }

                var former = held.FirstOrDefault();
                if (pause is null && former is null)
                {
                    return OperatorResult.NotPaused;
                }

                var statement = (target.KindName is null, held.Count > 0) switch
                {
                    (true, true) => OperatorSql.SetPaused,
                    (true, false) => OperatorSql.AddPaused,
                    (false, true) => OperatorSql.SetKindPaused,
                    _ => OperatorSql.AddKindPaused,
                };
                await _database.ExecuteAsync(
                    connection,
                    statement,
                    [
                        Arg.Text(name), Arg.Bool(pause is not null), Arg.Text(pause?.Actor), Arg.Text(pause?.Reason),
                        Arg.Time(pause?.Until),
                    ],
                    token).ConfigureAwait(false);
                await _database.AddEventAsync(
                    connection,
                    new NewEvent(pause is null ? QueueEventKind.Resumed : QueueEventKind.Paused, audit)
                    {
                        Subject = target.ToString(),
                        Detail = pause is null ? null : PauseText.Of(pause, former),
                    },
                    token).ConfigureAwait(false);
                return OperatorResult.Done;
            },
            cancellationToken).ConfigureAwait(false);
        if (result == OperatorResult.Done)
        {
            Hints.Control();
        }

        return result;
    }

    /// <summary>Cancels entries as a consequence of something else, which has an event of its own.</summary>
    /// <returns><see langword="true"/> if any of the entries ended, or was asked to.</returns>
    internal async ValueTask<bool> CancelAsync(long[] entryIds, string reason, CancellationToken cancellationToken)
    {
        var changes = await _database.InTransactionAsync(
            (connection, token) => Changes.CancelAsync(connection, entryIds, reason, token), cancellationToken).ConfigureAwait(false);
        if (changes.Any(static change => change.IsRunning))
        {
            Hints.Control();
        }

        return changes.Any(static change => change.Result == OperatorResult.Done);
    }

    // Changes one entry, and stores who did it in the same transaction.
    private ValueTask<EntryChange> ChangeAsync(
        long entryId,
        NewEvent added,
        Func<NpgsqlConnection, CancellationToken, ValueTask<IReadOnlyList<EntryChange>>> changeAsync,
        CancellationToken cancellationToken)
        => _database.InTransactionAsync(
            async (connection, token) =>
            {
                var change = (await changeAsync(connection, token).ConfigureAwait(false))[0];
                if (change.Result == OperatorResult.Done)
                {
                    await _database.AddEventAsync(connection, added with { EntryId = entryId }, token).ConfigureAwait(false);
                }

                return change;
            },
            cancellationToken);

    private ValueTask<List<QueueEntry>> ReadEntriesAsync(long[] ids, bool withPayloads, CancellationToken cancellationToken)
        => _database.ReadAsync(
            OperatorSql.Read,
            [Arg.Array(ids, NpgsqlDbType.Bigint), Arg.Bool(withPayloads)],
            static async (reader, token) =>
            {
                var entries = new List<QueueEntry>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    entries.Add(ReadEntry(reader));
                }

                return entries;
            },
            cancellationToken);

    internal static QueueEntry ReadEntry(NpgsqlDataReader reader)
    {
        var hasOutcome = !reader.IsDBNull(17);
        var isEnded = hasOutcome && reader.GetBoolean(17);
        var isWaiting = !isEnded && !reader.IsDBNull(10);
        var lastEnd = hasOutcome ? reader.Time(19) : (DateTimeOffset?)null;
        var lastStart = lastEnd is { } end ? ReaderExtensions.Start(end, reader.GetInt32(20)) : (DateTimeOffset?)null;
        var state = isEnded ? StateOf((OutcomeKind)reader.GetInt16(18)) : isWaiting ? EntryState.Waiting : EntryState.Running;
        var node = reader.StringOrNull(state == EntryState.Running ? 14 : 26);
        return new QueueEntry
        {
            Id = reader.GetInt64(0),
            Kind = reader.GetString(1),
            Queue = reader.GetString(2),
            Priority = reader.GetInt16(3),
            Args = reader.GetString(4),
            State = state,
            Attempt = isEnded ? reader.GetInt16(21) : isWaiting ? reader.GetInt16(11) : reader.GetInt16(15) + 1,
            MaxAttempts = reader.GetInt16(5),
            Crashes = isEnded ? reader.GetInt16(22) : isWaiting ? reader.GetInt16(12) : reader.GetInt16(16),
            CreatedAt = reader.Time(6),
            RunAt = isWaiting ? reader.Time(10) : null,

            // If an outcome has no node, its entry was cancelled while it waited.
            StartedAt = state == EntryState.Running ? reader.TimeOrNull(13) : node is null ? null : lastStart,
            EndedAt = isEnded ? lastEnd : null,
            Node = node,
            UniqueKey = reader.StringOrNull(7),
            Timeout = reader.MicrosecondsOrNull(8),
            Metadata = StoredMetadata.Read(reader.StringOrNull(9)),
            Result = isEnded ? reader.StringOrNull(23) : null,
            Error = hasOutcome ? reader.StringOrNull(24) : null,
            Reason = isEnded ? reader.StringOrNull(25) : null,
            CancelRequested = reader.GetBoolean(27),
            ExpiresAt = reader.TimeOrNull(28),
        };
    }

    private static EntryState StateOf(OutcomeKind kind) => kind switch
    {
        OutcomeKind.Completed => EntryState.Completed,
        OutcomeKind.Failed => EntryState.Failed,
        _ => EntryState.Cancelled,
    };
}
