namespace TaskRecovery.PostgreSql;

/// <summary>What removes that which is no longer kept.</summary>
/// <remarks>The walks take: $1 above this id, $2 how many rows to look at, $3 how long completed ones are kept, in microseconds, $4 failed ones, $5 cancelled ones. One node at a time walks; the others are told that it is
/// not their turn.</remarks>
internal static class RetentionSql
{
    private const string Turn = """
        mine as materialized (
            select t.name from {schema}.turns t where t.name = 'retention' for update skip locked
        ), turn as (
            update {schema}.turns t set taken_at = clock_timestamp() from mine f where t.name = f.name returning 1 as mine
        )
        """;

    // The last entry comes with all its runs, of which one is final.
    private const string Chunk = """
        chunk as materialized (
            select o.entry, o.fence,
                o.final and o.ended_at < clock_timestamp() - (case o.kind when 0 then $3::bigint when 1 then $4 else $5 end) * interval '1 microsecond' as old
            from {schema}.outcomes o
            where exists (select from turn) and o.entry > $1
        """;

    // An entry goes with everything that is its own, in one statement, and only if no claim lists it: a sweep that found it in a claim, without an
    // outcome, would run it again. No claim made after its end lists it. If an operator puts it back meanwhile, its outcome is not final any more
    // when the delete gets to the row.
    // A finished task's record and steps go with the entry that it is bound to, the last it had.
    private const string Removal = """
            order by o.entry fetch first ($2) rows with ties
        ), listed as materialized (
            select u.entry from {schema}.claims c cross join lateral unnest(c.entries) u (entry)
            where c.id <= (select max(fence) from chunk where old)
        ), free as materialized (
            select entry from chunk where old except select entry from listed
        ), gone as (
            delete from {schema}.outcomes o where o.entry = any(array(select entry from free)) and o.final
            returning o.entry
        ), attempts as (
            delete from {schema}.outcomes o where o.entry = any(array(select entry from gone)) and not o.final
        ), payloads as (
            delete from {schema}.entries e where e.id = any(array(select entry from gone))
        ), keys as (
            delete from {schema}.unique_keys k where k.entry = any(array(select entry from gone))
        ), requests as (
            delete from {schema}.cancellations a where a.entry = any(array(select entry from gone))
        ), ended as materialized (
            select t.id from {schema}.tasks t where t.entry_id = any(array(select entry from gone)) and t.state >= 2
        ), own_steps as (
            delete from {schema}.steps s where s.task is null and s.entry = any(array(select entry from gone))
        ), own_checkpoints as (
            delete from {schema}.checkpoints s where s.task is null and s.entry = any(array(select entry from gone))
        ),
        """ + TaskRemoval + """

        select exists (select from turn), coalesce((select max(entry) from chunk), $1), (select count(*) from gone),
            (select count(*) from chunk) < $2 or coalesce(
                (select e.created_at from {schema}.entries e where e.id = (select max(entry) from chunk)) >= clock_timestamp() - $6 * interval '1 microsecond', false)
        """;

    private const string TaskRemoval = """
         task_steps as (
            delete from {schema}.steps s where s.task = any(array(select id from ended))
        ), task_checkpoints as (
            delete from {schema}.checkpoints s where s.task = any(array(select id from ended))
        ), records as (
            delete from {schema}.tasks t where t.id = any(array(select id from ended)) and t.state >= 2
            returning t.id
        )
        """;

    /// <summary>Entries that have ended. $6 the walk ends at what was created less than this long ago, in microseconds.</summary>
    /// <returns>Whether it was this node's turn, the last id looked at, how many were removed, and whether nothing after them can be old enough.</returns>
    internal const string PurgeEnded = $$"""
        with {{Turn}}, {{Chunk}}
        {{Removal}}
        """;

    /// <summary>The same for those that did not end well, which have an index of their own, and are few where well ended ones are kept for longer.</summary>
    internal const string PurgeUnwell = $$"""
        with {{Turn}}, {{Chunk}} and o.final and o.kind <> 0
        {{Removal}}
        """;

    /// <summary>Tasks that the queue closed without an entry, or whose entry is gone. Those that the old system had finished are not its own.</summary>
    /// <returns>Whether it was this node's turn, the last id looked at, how many were removed, and whether there are no more.</returns>
    internal const string PurgeTasks = $$"""
        with {{Turn}}, chunk as materialized (
            select t.id, t.entry_id, t.state >= 2 and (t.entry_id is not null or t.reason is not null)
                and t.ended_at < clock_timestamp() - (case t.state when 2 then $3::bigint when 3 then $4 else $5 end) * interval '1 microsecond' as old
            from {schema}.tasks t
            where exists (select from turn) and t.id > $1 order by t.id limit $2
        ), ended as materialized (
            select ch.id from chunk ch where ch.old and (select e.id from {schema}.entries e where e.id = ch.entry_id) is null
        ), {{TaskRemoval}}
        select exists (select from turn), coalesce((select ch.id from chunk ch order by ch.id desc limit 1), $1), (select count(*) from records),
            (select count(*) from chunk) < $2
        """;

    /// <summary>How long ago any node had its turn, in seconds; nothing if there is no such row any more.</summary>
    internal const string LastTurn = "select extract(epoch from clock_timestamp() - t.taken_at)::float8 from {schema}.turns t where t.name = 'retention'";

    /// <summary>Cancel requests whose entry has ended.</summary>
    internal const string PurgeRequests = """
        delete from {schema}.cancellations a
        where (select o.entry from {schema}.outcomes o where o.entry = a.entry and o.final limit 1) is not null
            or (select e.id from {schema}.entries e where e.id = a.entry) is null
        """;

    /// <summary>Dead nodes that no claim names. $1 how long ago they died, in microseconds.</summary>
    internal const string PurgeNodes = """
        delete from {schema}.nodes n
        where n.dead_at < clock_timestamp() - $1 * interval '1 microsecond' and not exists (select from {schema}.claims c where c.node = n.number)
        """;

    /// <summary>Ends entries that have been due for too long. $1 how long, in microseconds, $2 reason, $3 how many at most. Returns how many.</summary>
    /// <remarks>Found by jumping from lane to lane (queue and level) through the index. What a claim takes meanwhile is left to it.</remarks>
    internal const string Expire = """
        with recursive lane as (
            (select w.queue, w.priority from {schema}.waiting w order by w.queue, w.priority limit 1)
            union all
            select n.queue, n.priority from lane l cross join lateral (
                select w.queue, w.priority from {schema}.waiting w where (w.queue, w.priority) > (l.queue, l.priority) order by w.queue, w.priority limit 1) n
        ), overdue as materialized (
            select o.tid from lane l cross join lateral (
                select w.ctid as tid from {schema}.waiting w
                where w.queue = l.queue and w.priority = l.priority and w.run_at < clock_timestamp() - $1 * interval '1 microsecond'
                order by w.run_at limit $3) o
            limit $3
        ), gone as (
            delete from {schema}.waiting where ctid = any(array(
                select w.ctid from {schema}.waiting w
                where w.ctid = any(array(select o.tid from overdue o)) and w.run_at < clock_timestamp() - $1 * interval '1 microsecond' for update skip locked))
        """ + " " + OperatorSql.EndTaken;
}
