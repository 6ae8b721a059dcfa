using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

internal sealed partial class SqliteQueueStore
{
    public ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken)
        => _database.ReadAsync(
            session =>
            {
                var statement = session.Get(ListSql.Find).Bind(1, entryId).Bind(6, true);
                var entry = statement.Step() ? ReadEntry(statement, new Lazy<RunningEntries>(() => RunningEntries.Read(session))) : null;
                statement.Reset();
                return entry;
            },
            cancellationToken);

    public ValueTask<EntryPage> ListAsync(EntryFilter filter, CancellationToken cancellationToken) => _database.ReadAsync(session => List(session, filter), cancellationToken);

    public ValueTask<QueueCounts> CountAsync(string? queue, CancellationToken cancellationToken) => _database.ReadAsync(session => Count(session, queue), cancellationToken);

    private static EntryPage List(SqliteSession session, EntryFilter filter)
    {
        var queue = filter.Queue is { } queueName ? SqliteNames.FindQueue(session, queueName) : null;
        var kind = filter.Kind is { } kindName ? SqliteNames.FindKind(session, kindName) : null;
        if ((filter.Queue is not null && queue is null) || (filter.Kind is not null && kind is null))
        {
            return new EntryPage([], null);
        }

        var running = new Lazy<RunningEntries>(() => RunningEntries.Read(session));
        var statement = session.Get(filter.State switch
        {
            EntryState.Waiting => ListSql.Waiting,
            EntryState.Running => ListSql.Listed,
            EntryState.Completed => ListSql.Completed,
            EntryState.Failed => ListSql.Failed,
            EntryState.Cancelled => ListSql.Cancelled,
            _ => ListSql.All,
        });
        statement.Bind(1, filter.Before).Bind(2, queue).Bind(3, kind).Bind(4, filter.Limit + 1).Bind(6, filter.WithPayloads);
        if (filter.State == EntryState.Running)
        {
            statement.BindText(5, ClaimContents.Write([.. running.Value.Ids], static id => id));
        }

        var entries = new List<QueueEntry>();
        while (statement.Step())
        {
            entries.Add(ReadEntry(statement, running));
        }

        if (entries.Count <= filter.Limit)
        {
            return new EntryPage(entries, null);
        }

        entries.RemoveAt(filter.Limit);
        return new EntryPage(entries, entries[^1].Id);
    }

    private QueueCounts Count(SqliteSession session, string? queue)
    {
        long? number = null;
        if (queue is not null && (number = SqliteNames.FindQueue(session, queue)) is null)
        {
            return new QueueCounts(0, 0, 0, 0, 0, 0);
        }

        var statement = session.Get(ListSql.CountWaiting).Bind(1, _database.Now()).Bind(2, number);
        statement.Step();
        var (waiting, due) = (statement.Int64(0), statement.Int64(1));
        statement.Reset();
        var running = session.Get(ListSql.CountRunning).Bind(1, number).Scalar() ?? 0;
        long completed = 0, failed = 0, cancelled = 0;
        statement = number is { } one ? session.Get(ListSql.CountEndedOfQueue).Bind(1, one) : session.Get(ListSql.CountEnded);
        while (statement.Step())
        {
            var count = statement.Int64(1);
            switch (StateOf((OutcomeKind)statement.Int32(0)))
            {
                case EntryState.Completed:
                    completed += count;
                    break;
                case EntryState.Failed:
                    failed += count;
                    break;
                default:
                    cancelled += count;
                    break;
            }
        }

        return new QueueCounts(due, waiting - due, running, completed, failed, cancelled);
    }

    private static EntryState StateOf(OutcomeKind final) => final switch
    {
        OutcomeKind.Completed => EntryState.Completed,
        OutcomeKind.Failed => EntryState.Failed,
        _ => EntryState.Cancelled,
    };

    internal static QueueEntry ReadEntry(SqliteStatement row, Lazy<RunningEntries> running)
    {
        var id = row.Int64(0);
        var isWaiting = !row.IsNull(10);
        var hasOutcome = !row.IsNull(13);
        var isEnded = !isWaiting && hasOutcome && row.Boolean(14);
        var run = isWaiting || isEnded ? null : running.Value.Find(id);
        var lastEnd = hasOutcome ? Micros.ToTime(row.Int64(15)) : (DateTimeOffset?)null;
        var lastStart = lastEnd - (hasOutcome ? Micros.ToSpan(row.Int64(16)) : TimeSpan.Zero);
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
            StartedAt = run?.ClaimedAt ?? lastStart,
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
