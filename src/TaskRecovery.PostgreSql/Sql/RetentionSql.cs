namespace TaskRecovery.PostgreSql;

/// <summary>What removes that which is no longer kept.</summary>
internal static class RetentionSql
{
    private const string Columns = "o.entry, o.fence, o.ended_at < clock_timestamp() - $3 * interval '1 microsecond' as old";

    // An entry goes with everything that is its own, in one statement, and only if no claim lists it: a sweep that found it in a claim, without an
    // outcome, would run it again. No claim made after its end lists it. If an operator puts it back meanwhile, its outcome is not final any more
    // when the delete gets to the row.
    // A finished task's record and steps go with the entry that it is bound to, the last it had.
    private const string Removal = """
        listed as materialized (
            select u.entry from {schema}.claims c cross join lateral unnest(c.entries) u (entry)
            where c.id <= (select max(fence) from chunk where old)
        ), gone as (
            delete from {schema}.outcomes o
            where o.entry = any(array(select ch.entry from chunk ch where ch.old and not exists (select from listed l where l.entry = ch.entry))) and o.final
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
        ), task_steps as (
            delete from {schema}.steps s where s.task = any(array(select id from ended))
        ), own_checkpoints as (
            delete from {schema}.checkpoints s where s.task is null and s.entry = any(array(select entry from gone))
        ), task_checkpoints as (
            delete from {schema}.checkpoints s where s.task = any(array(select id from ended))
        ), records as (
            delete from {schema}.tasks t where t.id = any(array(select id from ended))
        )
        select (select count(*) from chunk where old), (select max(entry) from chunk), (select count(*) from gone)
        """;

    private const string Turn = """
        turn as materialized (
            select 1 as mine where pg_try_advisory_xact_lock(hashtextextended('taskrecovery retention of ' || '{schema:literal}', 0))
        )
        """;

    /// <summary>Entries that ended well. $1 above this id, $2 how many to look at, $3 how long they are kept, in microseconds. Returns how many of those looked at are old
    /// enough, the last id looked at and how many were removed; one node at a time, the others see nothing.</summary>
    internal const string PurgeCompleted = $$"""
        with {{Turn}}, chunk as materialized (
            select {{Columns}} from {schema}.outcomes o
            where exists (select from turn) and o.entry > $1 and o.final and o.kind = 0 order by o.entry limit $2
        ), {{Removal}}
        """;

    /// <summary>The same for those that ended otherwise. $4 outcome kinds.</summary>
    internal const string PurgeUnwell = $$"""
        with {{Turn}}, chunk as materialized (
            select {{Columns}} from {schema}.outcomes o
            where exists (select from turn) and o.entry > $1 and o.final and o.kind <> 0 and o.kind = any($4) order by o.entry limit $2
        ), {{Removal}}
        """;

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
}
