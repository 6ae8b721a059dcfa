namespace TaskRecovery.PostgreSql;

/// <summary>Statements that store entries.</summary>
/// <remarks>All take: $1 queue numbers, $2 kind numbers, $3 priorities, $4 attempts, $5 args, $6 times not before, $7 waits,
/// $8 time limits, $9 metadata, $10 trace contexts, $11 unique keys. Arrays of what no entry has may be empty. $12 to $15 the numbers and names of their queues, then of their kinds: where one of
/// them does not belong to the other, nothing is stored and no id comes back, in the caller's own transaction too. A foreign key would read a row for every entry, and lock it.</remarks>
internal static class EntrySql
{
    // A time in the past means now, so that nothing is stored in a place that claimers have already passed.
    private static readonly string Given = $$"""
        with clock as materialized (select clock_timestamp() as now),
        known as materialized (
            select {{NameSql.Count("$12", "$13", "$14", "$15")}} = cardinality($12) + cardinality($14) as all_of_them
        ),
        given as materialized (
            select nextval('{schema:literal}.entries_id_seq') as id, (select now from clock) as created_at, g.*
            from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) with ordinality
                as g (queue, kind, priority, max_attempts, args, run_at, run_after, timeout, metadata, trace_parent, unique_key, place)
            where (select k.all_of_them from known k)
        )
        """;

    private const string Stored = """
        stored as (
            insert into {schema}.entries (id, created_at, queue, kind, priority, max_attempts, args, unique_key, timeout, metadata, trace_parent)
            overriding system value
            select g.id, g.created_at, g.queue, g.kind, g.priority, g.max_attempts, g.args, g.unique_key, g.timeout, g.metadata, g.trace_parent
            from accepted g
        )
        """;

    // Left open, so that a statement may say under which condition.
    private const string LinedUp = """
        lined_up as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority, found_by_id)
            select d.run_at, g.id, g.queue, g.kind, g.priority, d.run_at <> g.created_at
            from accepted g cross join lateral (select greatest(coalesce(g.run_at, g.created_at + g.run_after, g.created_at), g.created_at) as run_at) d
        """;

    /// <summary>Stores entries of which none has a unique key.</summary>
    /// <returns>Their ids, in order, as one array: ten thousand rows would cost more to send and to read than their index entries to write.</returns>
    internal static readonly string Enqueue = Given + ", accepted as (select * from given), " + Stored + ", " + LinedUp + ") select array_agg(id order by place) from given";

    /// <summary>Stores entries of one queue, none with a key or a time, and claims them in the same transaction where a claim would take them at once: the node is not dead, the queue not paused,
    /// and nothing due of a kind that it knows is before them in line. Else they wait. $16 node, $17 queue number, $18 kind numbers, $19 levels up to theirs, $20 and $21 times and ids up to which the node's claims have been there.</summary>
    /// <returns>Their ids in order, the database's time, the node's number (null if it is dead), and the claim's id (null if they wait).</returns>
    internal static readonly string EnqueueClaimed = Given + """
        , node as materialized (
            select n.number from {schema}.nodes n where n.id = $16 and n.dead_at is null for key share
        ), turn as materialized (
            select n.number from node n join {schema}.queues q on q.id = $17 and not q.paused
            where (select k.all_of_them from known k) and not exists (
                select from clock c cross join unnest($19, $20, $21) l (level, after_time, after_id) cross join lateral (
                    select from {schema}.waiting w
                    where w.queue = $17 and w.priority = l.level and (w.run_at, w.id) > (l.after_time, l.after_id) and w.run_at <= c.now and w.kind = any ($18)
                    limit 1) w)
        ), accepted as (select * from given), listed as materialized (select array_agg(id order by place) as ids from given),
        """ + Stored + ", " + LinedUp + """
            where not exists (select from turn)
        ), claim as (
            insert into {schema}.claims (id, claimed_at, node, entries)
            select nextval('{schema:literal}.fences'), (select c.now from clock c), t.number, (select l.ids from listed l) from turn t
            returning id
        )
        select (select l.ids from listed l), (select c.now from clock c), (select n.number from node n), (select c.id from claim c)
        """;

    /// <summary>Stores entries of which some have unique keys: what holds a key already is not stored. Keys are taken in order, so that two callers can't wait for each other.</summary>
    /// <returns>In order, the id and whether it is the holder's; without an id where the holder came or ended in this very moment: ask again for those.</returns>
    internal static readonly string EnqueueUnique = Given + """
        , taken as (
            insert into {schema}.unique_keys (kind, key, entry)
            select g.kind, g.unique_key, g.id from given g where g.unique_key is not null order by g.kind, g.unique_key, g.place
            on conflict (kind, key) do nothing
            returning kind, key, entry
        ), accepted as (
            select g.* from given g where g.unique_key is null or g.id in (select t.entry from taken t)
        ),
        """ + Stored + ", " + LinedUp + $$"""
        )
        select
            case when a.id is not null then a.id else coalesce(
                (select t.entry from taken t where t.kind = g.kind and t.key = g.unique_key),
                (select u.entry from {schema}.unique_keys u where u.kind = g.kind and u.key = g.unique_key)) end,
            case when a.id is null then {{CommitSql.Confirm}} else false end
        from given g left join accepted a on a.id = g.id
        order by g.place
        """;
}
