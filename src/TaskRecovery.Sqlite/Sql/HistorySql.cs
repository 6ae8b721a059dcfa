using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>stats</c> and <c>events</c>.</summary>
internal static class HistorySql
{
    private const string Counts = "enqueued, completed, failed, cancelled, retried, snoozed, released, lost, run_ms, wait_ms";

    // A row that something else wrote must not make a sum fail, or too large for a number or a time span.
    private static readonly string Sums = string.Join(
        ", ", Counts.Split(", ").Select(
            static count => $"cast(min(max(total(s.{count}), 0.0), {StatisticsLimits.Sum}.0) as integer)"));

    private const string EventColumns = """
        select e.id, e.happened_at, e.kind, e.node, e.entry, e.subject, e.operation, e.entries, e.detail, e.actor, e.reason, e.tool
        """;

    private const string EventConditions = """
        e.id < ?1 and e.id > ?2
            and (?3 is null or e.kind in (select value from json_each(?3))) and (?5 is null or e.node = ?5)
            and (?6 is null or e.actor = ?6) and (?7 is null or e.operation = ?7)
        order by e.id desc limit ?8
        """;

    private const string EdgeColumns = "select f.id, f.happened_at from taskrecovery_events f where f.id < ?1 and f.id > ?2";

    private const string NewestEdge = "order by f.id desc limit 1 offset ?9 - 1";

    /// <summary>Adds counts to a minute or an hour. ?1 whether it is an hour, ?2 its begin, ?3 queue, ?4 kind, ?5 to ?14 the
    /// counts.</summary>
    public const string Add = """
        insert into taskrecovery_stats as s
            (hourly, began_at, queue, kind, enqueued, completed, failed, cancelled, retried, snoozed, released, lost, run_ms, wait_ms)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        on conflict (hourly, began_at, queue, kind) do update set
            enqueued = s.enqueued + excluded.enqueued, completed = s.completed + excluded.completed, failed = s.failed + excluded.failed,
            cancelled = s.cancelled + excluded.cancelled, retried = s.retried + excluded.retried, snoozed = s.snoozed + excluded.snoozed,
            released = s.released + excluded.released, lost = s.lost + excluded.lost, run_ms = s.run_ms + excluded.run_ms,
                wait_ms = s.wait_ms + excluded.wait_ms
        """;

    /// <summary>The sums of minutes or hours since a time. ?1 whether hours, ?2 time, ?3 now.</summary>
    public static readonly string Since =
        $"select {Sums} from taskrecovery_stats s where s.hourly = ?1 and s.began_at > ?2 and s.began_at <= ?3";

    /// <summary>Counts by minute or hour. ?1 whether hours, ?2 from, ?3 to, ?4 queue, or null, ?5 kind, or null, ?6 what to separate: 0
    /// nothing, 1 queues, 2 kinds.</summary>
    public static readonly string Read = $"""
        select s.began_at, q.name, k.name, {Sums}
        from taskrecovery_stats s
        left join taskrecovery_queues q on q.id = s.queue and ?6 = {Codes.ThroughputQueue}
        left join taskrecovery_kinds k on k.id = s.kind and ?6 = {Codes.ThroughputKind}
        where s.hourly = ?1 and s.began_at >= ?2 and s.began_at < ?3
            and (?4 is null or s.queue = (select id from taskrecovery_queues where name = ?4))
            and (?5 is null or s.kind = (select id from taskrecovery_kinds where name = ?5))
        group by 1, 2, 3 order by 2, 3, 1
        """;

    /// <summary>Returns a row if <see cref="RemoveCounts"/> would remove one. ?1 whether hours, ?2 before this time, ?3 after this
    /// time.</summary>
    public const string AnyOldCounts = """
        select 1 from taskrecovery_stats where hourly = ?1 and began_at < ?2
        union all
        select 1 from taskrecovery_stats where hourly = ?1 and began_at > ?3
        limit 1
        """;

    /// <summary>Removes old minutes or hours, and those of a time to come, which something else wrote; at most 5,000 of each. ?1 whether
    /// hours, ?2 before this time, ?3 after this time.</summary>
    public const string RemoveCounts = """
        delete from taskrecovery_stats where (hourly, began_at, queue, kind) in (
            select * from (
                select hourly, began_at, queue, kind from taskrecovery_stats
                where hourly = ?1 and began_at < ?2 order by began_at limit 5000)
            union all
            select * from (
                select hourly, began_at, queue, kind from taskrecovery_stats
                where hourly = ?1 and began_at > ?3 order by began_at limit 5000))
        """;

    /// <summary>Stores an event. ?1 now, ?2 kind, ?3 node, ?4 entry, ?5 subject, ?6 operation, ?7 number of entries, ?8 detail, ?9 actor,
    /// ?10 reason, ?11 tool.</summary>
    public const string AddEvent = """
        insert into taskrecovery_events (happened_at, kind, node, entry, subject, operation, entries, detail, actor, reason, tool)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        """;

    /// <summary>A page of events, newest first. ?1 only ids below this one, ?2 only ids above this one, ?3 kinds as a JSON array, or null,
    /// ?5 node, or null, ?6 actor, or null, ?7 operation, or null, ?8 how many at most.</summary>
    public const string Events = $"{EventColumns} from taskrecovery_events e where {EventConditions}";

    /// <summary>As <see cref="Events"/>, of one entry, which has an index. ?4 the entry.</summary>
    public const string EventsOf = $"{EventColumns} from taskrecovery_events e where e.entry = ?4 and {EventConditions}";

    /// <summary>The oldest event that a search examines if it does not end earlier, and when it happened; nothing if the search reaches
    /// the first event. ?1 only ids below this one, ?2 only ids above this one, ?9 how many to examine.</summary>
    public const string EventEdge = $"{EdgeColumns} {NewestEdge}";

    /// <summary>As <see cref="EventEdge"/>, of one entry. ?4 the entry.</summary>
    public const string EventEdgeOf = $"{EdgeColumns} and f.entry = ?4 {NewestEdge}";

    /// <summary>The events of an entry, newest first, without those of bulk operations, which its life lists on their own. ?1 entry, ?2 how
    /// many at most.</summary>
    public const string EventsOfEntry = """
        select e.id, e.happened_at, e.kind, e.node, e.entry, e.subject, e.operation, e.entries, e.detail, e.actor, e.reason, e.tool
        from taskrecovery_events e where e.entry = ?1 and e.operation is null order by e.id desc limit ?2
        """;

    /// <summary>The ids of old events, at most 1,000. ?1 before this time; those that no person caused also if more than 100,000
    /// follow.</summary>
    public const string OldEvents = """
        select id from taskrecovery_events
        where happened_at < ?1
            or ((actor is null or tool = 'application') and id <= (select coalesce(max(id), 0) - 100000 from taskrecovery_events))
        order by id limit 1000
        """;

    /// <summary>Removes events. ?1 their ids as a JSON array.</summary>
    public const string RemoveEvents = "delete from taskrecovery_events where id in (select value from json_each(?1))";
}
