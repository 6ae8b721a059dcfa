namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>events</c>.</summary>
internal static class EventSql
{
    /// <summary>Stores an event. $1 kind, $2 node, $3 entry, $4 subject, $5 operation, $6 number of entries, $7 detail, $8 actor, $9
    /// reason, $10 tool. The database user is stored beside the actor, who is only claimed.</summary>
    internal const string Insert = """
        insert into {schema}.events (kind, node, entry, subject, operation, entries, detail, actor, reason, tool, session_user_name)
        values ($1::smallint, $2::text, $3::bigint, $4::text, $5::bigint, $6::bigint, $7::text, $8::text, $9::text, $10::text,
            case when $8::text is not null then session_user::text end)
        """;

    /// <summary>A page of events, newest first. $1 only ids below this one, $2 only ids above this one, $3 kinds, or null, $4 entry, or
    /// null, $5 node, or null, $6 actor, or null, $7 operation, or null, $8 how many at most, $9 how many to examine.</summary>
    internal const string List = """
        select e.id, e.happened_at, e.kind, e.node, e.entry, e.subject, e.operation, e.entries, e.detail, e.actor, e.reason, e.tool,
            e.session_user_name
        from (
            select * from {schema}.events f
            where f.id < $1::bigint and f.id > $2::bigint and ($4::bigint is null or f.entry = $4) order by f.id desc limit $9::bigint) e
        where ($3::smallint[] is null or e.kind = any ($3)) and ($5::text is null or e.node = $5) and ($6::text is null or e.actor = $6)
            and ($7::bigint is null or e.operation = $7)
        order by e.id desc limit $8::bigint
        """;

    /// <summary>The newest events of an entry, newest first, without those of bulk operations. $1 entry, $2 how many at most.</summary>
    internal const string OfEntry = """
        select e.id, e.happened_at, e.kind, e.node, e.entry, e.subject, e.operation, e.entries, e.detail, e.actor, e.reason, e.tool,
            e.session_user_name
        from {schema}.events e where e.entry = $1 and e.operation is null order by e.id desc limit $2
        """;

    /// <summary>The oldest event that a page of <see cref="List"/> examines if it is not full earlier, and when it happened; nothing if it
    /// reaches the first event. $1 only ids below this one, $2 only ids above this one, $3 entry, or null, $4 how many to
    /// examine.</summary>
    internal const string Edge = """
        select f.id, f.happened_at from {schema}.events f
        where f.id < $1::bigint and f.id > $2::bigint and ($3::bigint is null or f.entry = $3)
        order by f.id desc offset $4::bigint - 1 limit 1
        """;

    /// <summary>Removes a bounded number of old events. Returns how many.</summary>
    internal const string Remove = "select {schema}.remove_old_events()";
}
