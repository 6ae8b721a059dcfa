using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

internal sealed partial class SqliteQueueStore
{
    public ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken)
        => _database.ReadAsync(
            session => Find(session, entryId, withPayloads: true, new(() => RunningEntries.ReadOne(session, entryId))), cancellationToken);

    public async ValueTask<EntryPage> ListAsync(EntryFilter filter, CancellationToken cancellationToken)
    {
        var query = EntryFilterQuery.Of(filter);
        var page = await _search.ListAsync(query, isForPerson: false, cancellationToken).ConfigureAwait(false);
        var entries = await _database.ReadAsync(
            session =>
            {
                var running = new Lazy<RunningEntries>(() => RunningEntries.Read(session));
                var found = new List<QueueEntry>(page.Entries.Count);
                foreach (var entry in page.Entries)
                {
                    if (Find(session, entry.Id, filter.WithPayloads, running) is { } current)
                    {
                        found.Add(current);
                    }
                }

                return found;
            },
            cancellationToken).ConfigureAwait(false);

        // Skip entries whose state changed between the two reads.
        return new EntryPage([.. entries.Where(entry => filter.State is not { } state || entry.State == state)], page.NextBefore);
    }

    public ValueTask<QueueCounts> CountAsync(string? queue, CancellationToken cancellationToken)
        => _database.ReadAsync(session => Count(session, queue), cancellationToken);

    private QueueCounts Count(SqliteSession session, string? queue)
    {
        var ids = new List<long>();
        var statement = session.Get(ListSql.Queues).Bind(1, queue);
        while (statement.Step())
        {
            ids.Add(statement.Int64(0));
        }

        var number = queue is null ? null : ids is [var only] ? only : (long?)-1;
        var now = _database.Now();
        var (due, later) = (0L, 0L);
        foreach (var id in ids)
        {
            var waiting = SqliteMonitorStore.Waiting(session, id, now, MonitorLimits.Counted + 1);
            (due, later) = (due + waiting.Due, later + waiting.Later);
        }

        var running = CountRows(session, ListSql.CountRunning, number);
        var ended = CountRows(session, ListSql.CountEnded, number);
        var unwell = CountRows(session, ListSql.CountUnwell, number);
        return new QueueCounts(
            Known(due, due), Known(later, later), Known(running.One, running.Rows),
            Known(ended.One, ended.Rows), Known(unwell.One, unwell.Rows),
            Known(unwell.Other, unwell.Rows));
    }

    private static (long One, long Other, long Rows) CountRows(SqliteSession session, string text, long? queue)
    {
        var statement = session.Get(text).Bind(1, queue).Bind(2, MonitorLimits.Counted + 1);
        statement.Step();
        var counts = (statement.Int64(0), statement.Int64(1), statement.Int64(2));
        statement.Reset();
        return counts;
    }

    private static Count Known(long value, long rows)
        => rows > MonitorLimits.Counted ? new Count(Math.Min(value, MonitorLimits.Counted), CountPrecision.AtLeast) : new Count(value);

    private static EntryState StateOf(OutcomeKind final) => final switch
    {
        OutcomeKind.Completed => EntryState.Completed,
        OutcomeKind.Failed => EntryState.Failed,
        _ => EntryState.Cancelled,
    };

    /// <summary>Finds an entry; <see langword="null"/> if it does not exist.</summary>
    internal static QueueEntry? Find(SqliteSession session, long entryId, bool withPayloads, Lazy<RunningEntries> running)
    {
        var statement = session.Get(ListSql.Find).Bind(1, entryId).Bind(2, withPayloads);
        var entry = statement.Step() ? ReadEntry(statement, running) : null;
        statement.Reset();
        return entry;
    }

    private static QueueEntry ReadEntry(SqliteStatement row, Lazy<RunningEntries> running)
    {
        var id = row.Int64(0);
        var isWaiting = !row.IsNull(10);
        var hasOutcome = !row.IsNull(13);
        var isEnded = !isWaiting && hasOutcome && row.Boolean(14);
        var run = isWaiting || isEnded ? null : running.Value.Find(id);
        var lastEnd = hasOutcome ? Micros.ToTime(row.Int64(15)) : (DateTimeOffset?)null;
        var lastStart = hasOutcome ? Micros.Start(row.Int64(15), row.Int64(16)) : (DateTimeOffset?)null;
        return new QueueEntry
        {
            Id = id,
            Kind = row.Text(1),
            Queue = row.Text(2),
            Priority = row.Int32(3),
            Args = row.Text(4),
            MaxAttempts = row.Int32(5),
            CreatedAt = Micros.ToTime(row.Int64(6)),
            UniqueKey = row.NullableText(7),
            Timeout = Micros.ToSpan(row.NullableInt64(8)),
            Metadata = StoredMetadata.Read(row.NullableText(9)),
            State = isWaiting ? EntryState.Waiting : isEnded ? StateOf((OutcomeKind)row.Int32(13)) : EntryState.Running,
            RunAt = isWaiting ? Micros.ToTime(row.Int64(10)) : null,
            Attempt = isWaiting ? row.Int32(11) : isEnded ? row.Int32(17) : (run?.Attempt ?? 0) + 1,
            Crashes = isWaiting ? row.Int32(12) : isEnded ? row.Int32(18) : run?.Crashes ?? 0,

            // If an outcome has no node, its entry was cancelled while it waited.
            StartedAt = run?.ClaimedAt ?? (row.IsNull(27) ? null : lastStart),
            EndedAt = isEnded ? lastEnd : null,
            Node = run?.Node ?? (row.IsNull(24) ? null : NodeRules.Label(row.Text(22), row.Boolean(23), row.Guid(24))),
            Result = isEnded ? row.NullableText(19) : null,
            Error = row.NullableText(20),
            Reason = isEnded ? row.NullableText(21) : null,
            CancelRequested = !isEnded && row.Boolean(25),
            ExpiresAt = Micros.ToTime(Micros.Clamp(row.NullableInt64(26))),
        };
    }
}
