using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements of the poll that a node sends once a second.</summary>
internal static class PollSql
{
    private const string Asked = """
        with recursive clock as materialized (
            select clock_timestamp() as now
        ), asked as materialized (
            select q.id, q.name from {schema}.queues q where q.name = any ($2) and not q.paused
        )
        """;

    // Reads only lanes (queue and level) of the requested queues that contain rows, by skipping through the index: entries in other queues
    // cost nothing.
    private const string Lanes = Asked + """
        , lane as (
            select a.id as queue, n.priority from asked a cross join lateral (
                select w.priority from {schema}.waiting w where w.queue = a.id order by w.queue, w.priority limit 1) n
            union all
            select l.queue, n.priority from lane l cross join lateral (
                select w.priority from {schema}.waiting w
                    where w.queue = l.queue and w.priority > l.priority order by w.queue, w.priority limit 1) n
        )
        """;

    /// <summary>Cancel requests for entries that the node has claimed and not ended itself; an erasure may have ended them already, and
    /// taken them out of the claim. $1 node, $4 its claims: looked up by id, so the number of the node's former claims does not
    /// matter.</summary>
    private static readonly string Cancels = $$"""
        select {{PollRows.CancelRequest}}, null::text, u.entry, null::interval
        from {schema}.claims c cross join lateral unnest(c.entries) u (entry)
        where c.id = any ($4) and $1::uuid is not null
            and exists (select from {schema}.cancellations) and u.entry in (select x.entry from {schema}.cancellations x)
            and (select o.entry from {schema}.outcomes o
                where o.entry = u.entry and o.fence = c.id and o.reason is distinct from {{Codes.Erased}}) is null
        union all
        select {{PollRows.CancelRequest}}, null::text, o.entry, null::interval
        from {schema}.cancellations x cross join lateral (
            select o.entry, o.fence from {schema}.outcomes o
            where o.entry = x.entry and o.fence = any ($4) and o.final and o.reason = {{Codes.Erased}} offset 0) o
        cross join lateral (select c.entries from {schema}.claims c where c.id = o.fence offset 0) c
        where (o.entry = any (c.entries)) is not true
        """;

    // Kinds that an operator has paused: usually none.
    private static readonly string PausedKinds = $$"""
        select {{PollRows.PausedKind}}, null::text, k.id::bigint, null::interval from {schema}.kinds k where k.paused
        """;

    // A row of its own reports that a kind's number no longer belongs to its name.
    private static readonly string WrongNumbers = $$"""
        select {{PollRows.WrongNumber}}, null::text, null::bigint, null::interval where (
            select count(*) from unnest($3, $5) n (id, name) cross join lateral (
                select from {schema}.kinds k where k.id = n.id and k.name = n.name offset 0) k) <> cardinality($3)
        """;

    private static readonly string Others = " union all " + Cancels + " union all " + WrongNumbers + " union all " + PausedKinds;

    /// <summary>Queues with due work, the wait until the next entry that the node does not leave is due, cancel requests, paused kinds, and
    /// whether a number is wrong (<see cref="PollRows"/>). $1 node, $2 queues, $3 kind numbers, $4 the node's claims, $5 the kinds' names,
    /// $6 those of the queues whose new entries the node leaves to another one.</summary>
    internal static readonly string Poll = Lanes + $$"""
        , due as materialized (
            select l.queue, l.priority, (select c.now from clock c)
                - case when a.name = any ($6) then interval '{{PollLimits.NewMilliseconds}} milliseconds' else interval '0' end as latest
            from lane l join asked a on a.id = l.queue
        )
        select {{PollRows.DueQueue}}, a.name, null::bigint, null::interval
        from asked a
        where exists (
            select from due d cross join lateral (
                select w.kind, row_number() over (order by w.run_at, w.id) as place from {schema}.waiting w
                where w.queue = d.queue and w.priority = d.priority and w.run_at <= d.latest
                order by w.run_at, w.id limit {{ClaimSql.ScanLimit}}) f
            where d.queue = a.id and (f.kind = any ($3) or f.place = {{ClaimSql.ScanLimit}}))
        union all
        select {{PollRows.NextDue}}, null, null,
            min(least(f.run_at, (select c.now from clock c) + {{ClaimSql.LongestWait}})) - (select c.now from clock c)
        from asked a join lane l on l.queue = a.id cross join lateral (
            select w.run_at, w.kind, row_number() over (order by w.run_at, w.id) as place from {schema}.waiting w
            where w.queue = l.queue and w.priority = l.priority and w.run_at > (select c.now from clock c)
                and w.run_at < timestamptz 'infinity'
            order by w.run_at, w.id limit {{ClaimSql.ScanLimit}}) f
        where a.name <> all ($6) and (f.kind = any ($3) or f.place = {{ClaimSql.ScanLimit}})
        """ + Others;

    /// <summary>As <see cref="Poll"/> for queues that the node leaves to another one, but finds only work that became due a short time ago,
    /// and no wait. Each level is read from that time on, so dead rows at the front of a queue cost nothing. $1 node, $2 queues, $3 kind
    /// numbers, $4 the node's claims, $5 the kinds' names.</summary>
    internal static readonly string PollRecent = Asked + $$"""

        select {{PollRows.DueQueue}}, a.name, null::bigint, null::interval
        from asked a
        where exists (
            select from generate_series({{CrashLevels.Lowest}}, {{CrashLevels.Highest}}) l (level) cross join lateral (
                select w.kind, row_number() over (order by w.run_at, w.id) as place from {schema}.waiting w
                where w.queue = a.id and w.priority = l.level::smallint
                    and w.run_at > (select c.now from clock c) - interval '{{PollLimits.RecentSeconds}} seconds'
                    and w.run_at <= (select c.now from clock c) - interval '{{PollLimits.NewMilliseconds}} milliseconds'
                order by w.run_at, w.id limit {{ClaimSql.ScanLimit}}) f
            where f.kind = any ($3) or f.place = {{ClaimSql.ScanLimit}})
        """ + Others;

    /// <summary>As <see cref="Poll"/>, but without reading waiting rows: every queue that is not paused counts as due. Used if reading
    /// takes long because an old snapshot keeps dead rows. $1 node, $2 queues, $3 kind numbers, $4 the node's claims, $5 the kinds'
    /// names.</summary>
    internal static readonly string PollBlind = $$"""
        select {{PollRows.DueQueue}}, q.name, null::bigint, null::interval from {schema}.queues q
            where q.name = any ($2) and not q.paused and $3::smallint[] is not null
        """ + Others;

    /// <summary>Kinds at the front of the queues that the node does not know. $1 node, $2 queues, $3 kind numbers.</summary>
    internal const string UnknownKinds = Lanes + """
        select distinct k.name
        from asked a join lane l on l.queue = a.id cross join lateral (
            select w.kind from {schema}.waiting w
            where w.queue = l.queue and w.priority = l.priority and w.run_at <= (select c.now from clock c)
            order by w.run_at, w.id limit 1000) f
        join {schema}.kinds k on k.id = f.kind
        where f.kind <> all ($3) and $1::uuid is not null
        """;
}
