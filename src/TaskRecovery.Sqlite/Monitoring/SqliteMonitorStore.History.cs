using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>Statistics and events.</content>
internal sealed partial class SqliteMonitorStore
{
    private static readonly long Minute = Micros.From(TimeSpan.FromMinutes(1));
    private static readonly long Hour = Micros.From(TimeSpan.FromHours(1));
    private static readonly long Day = Micros.From(TimeSpan.FromDays(1));

    public ValueTask<EventPage> ListEventsAsync(EventQuery query, CancellationToken cancellationToken)
        => ReadAsync(
            session =>
            {
                var edge = FindEdge(session, query);

                // One event more than the limit shows whether there is another page.
                var events = ReadEvents(session.Get(query.EntryId is null ? HistorySql.Events : HistorySql.EventsOf)
                    .Bind(1, query.Before ?? long.MaxValue).Bind(2, Math.Max(query.After ?? 0, (edge?.Id ?? 1) - 1))
                    .Bind(3, Kinds(query.Kinds)).Bind(4, query.EntryId).Bind(5, query.Node).Bind(6, query.Actor)
                    .Bind(7, query.OperationId).Bind(8, query.Limit + 1));
                return events.Count > query.Limit
                    ? new EventPage(events[..query.Limit], events[query.Limit - 1].Id)
                    : new EventPage(events, edge?.Id) { SearchedBackTo = Micros.ToTime(edge?.At) };
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<StatisticsRow>> ReadStatisticsAsync(
        ThroughputQuery query, bool byHour, CancellationToken cancellationToken)
        => ReadAsync<IReadOnlyList<StatisticsRow>>(
            session =>
            {
                var rows = new List<StatisticsRow>();
                var statement = session.Get(HistorySql.Read)
                    .Bind(1, byHour).Bind(2, Micros.From(query.From)).Bind(3, Micros.From(query.To))
                    .Bind(4, query.Queue).Bind(5, query.Kind).Bind(6, (int)query.By);
                while (statement.Step())
                {
                    rows.Add(new StatisticsRow(Micros.ToTime(statement.Int64(0)), statement.NullableText(1)
                        ?? "", statement.NullableText(2) ?? "", ReadTotals(statement, 3)));
                }

                return rows;
            },
            cancellationToken);

    public async ValueTask AddStatisticsAsync(IReadOnlyList<StatisticsCount> counts, CancellationToken cancellationToken)
        => await database.WriteAsync(
            session =>
            {
                var now = database.Now();
                foreach (var count in counts)
                {
                    if (SqliteNames.FindQueue(session, count.Queue) is { } queue && SqliteNames.FindKind(session, count.Kind) is { } kind)
                    {
                        Add(session, hourly: false, now - (now % Minute), queue, kind, count.Totals);
                        Add(session, hourly: true, now - (now % Hour), queue, kind, count.Totals);
                    }
                }

                return true;
            },
            cancellationToken, relaxed: true).ConfigureAwait(false);

    // The search takes no write lock, because nearly always there is nothing to remove.
    public async ValueTask<bool> CondenseAsync(CancellationToken cancellationToken)
    {
        var now = database.Now();
        var (hasOldCounts, oldEvents) = await database.ReadAsync(
            session => (Array.Exists(OldCounts(now), old => AnyCounts(session, old, now)), FindOldEvents(session, now)),
            cancellationToken).ConfigureAwait(false);
        if (!hasOldCounts && oldEvents.Count == 0)
        {
            return false;
        }

        var removed = await database.WriteAsync(
            session => OldCounts(now).Sum(old => RemoveCounts(session, old, now))
                + session.Get(HistorySql.RemoveEvents).BindText(1, ClaimContents.Write(oldEvents, static id => id)).ExecuteChanges(),
            cancellationToken).ConfigureAwait(false);
        return removed > 0;
    }

    // How long minutes and hours are kept.
    private static (bool Hourly, long Before)[] OldCounts(long now)
        => [(false, now - Micros.From(TimeSpan.FromHours(25))), (true, now - Micros.From(TimeSpan.FromDays(90)))];

    private static bool AnyCounts(SqliteSession session, (bool Hourly, long Before) old, long now)
        => session.Get(HistorySql.AnyOldCounts).Bind(1, old.Hourly).Bind(2, old.Before).Bind(3, now + Day).Exists();

    private static int RemoveCounts(SqliteSession session, (bool Hourly, long Before) old, long now)
        => session.Get(HistorySql.RemoveCounts).Bind(1, old.Hourly).Bind(2, old.Before).Bind(3, now + Day).ExecuteChanges();

    private static List<long> FindOldEvents(SqliteSession session, long now)
    {
        var events = new List<long>();
        var statement = session.Get(HistorySql.OldEvents).Bind(1, now - Micros.From(TimeSpan.FromDays(30)));
        while (statement.Step())
        {
            events.Add(statement.Int64(0));
        }

        return events;
    }

    // The oldest event that the search examines, if it does not reach the first one. A page without conditions is full earlier.
    private static (long Id, long At)? FindEdge(SqliteSession session, EventQuery query)
    {
        if (query is { Kinds: null or { Count: 0 }, Node: null, Actor: null, OperationId: null } && query.MaxExamined > query.Limit)
        {
            return null;
        }

        var statement = session.Get(query.EntryId is null ? HistorySql.EventEdge : HistorySql.EventEdgeOf)
            .Bind(1, query.Before ?? long.MaxValue).Bind(2, query.After ?? 0).Bind(4, query.EntryId).Bind(9, query.MaxExamined);
        var edge = statement.Step() ? (statement.Int64(0), statement.Int64(1)) : ((long, long)?)null;
        statement.Reset();
        return edge;
    }

    private static void Add(SqliteSession session, bool hourly, long begin, long queue, long kind, EntryTotals totals)
        => session.Get(HistorySql.Add)
            .Bind(1, hourly).Bind(2, begin).Bind(3, queue).Bind(4, kind)
            .Bind(5, totals.Enqueued).Bind(6, totals.Completed).Bind(7, totals.Failed).Bind(8, totals.Cancelled).Bind(9, totals.Retried)
            .Bind(10, totals.Snoozed).Bind(11, totals.Released).Bind(12, totals.Lost)
            .Bind(13, (long)totals.RunTime.TotalMilliseconds).Bind(14, (long)totals.WaitTime.TotalMilliseconds)
            .Execute();

    private static EntryTotals Since(SqliteSession session, bool hourly, long time, long now)
    {
        var statement = session.Get(HistorySql.Since).Bind(1, hourly).Bind(2, time).Bind(3, now);
        statement.Step();
        var totals = ReadTotals(statement, 0);
        statement.Reset();
        return totals;
    }

    // A sum of no rows is null, which is read as zero.
    private static EntryTotals ReadTotals(SqliteStatement row, int first) => new()
    {
        Enqueued = row.Int64(first),
        Completed = row.Int64(first + 1),
        Failed = row.Int64(first + 2),
        Cancelled = row.Int64(first + 3),
        Retried = row.Int64(first + 4),
        Snoozed = row.Int64(first + 5),
        Released = row.Int64(first + 6),
        Lost = row.Int64(first + 7),
        RunTime = TimeSpan.FromMilliseconds(row.Int64(first + 8)),
        WaitTime = TimeSpan.FromMilliseconds(row.Int64(first + 9)),
    };

    private static List<QueueEvent> ReadEvents(SqliteStatement statement)
    {
        var events = new List<QueueEvent>();
        while (statement.Step())
        {
            events.Add(new QueueEvent
            {
                Id = statement.Int64(0),
                At = Micros.ToTime(statement.Int64(1)),
                Kind = (QueueEventKind)statement.Int32(2),
                Node = statement.NullableText(3),
                EntryId = statement.NullableInt64(4),
                Subject = statement.NullableText(5),
                OperationId = statement.NullableInt64(6),
                Entries = statement.NullableInt64(7),
                Detail = statement.NullableText(8),
                Actor = statement.NullableText(9),
                Reason = statement.NullableText(10),
                Tool = statement.NullableText(11),
            });
        }

        return events;
    }

    private static string? Kinds(IReadOnlyCollection<QueueEventKind>? kinds)
        => kinds is null
            or { Count: 0 } ? null : System.Text.Encoding.UTF8.GetString(ClaimContents.Write([.. kinds], static kind => (long)kind));
}
