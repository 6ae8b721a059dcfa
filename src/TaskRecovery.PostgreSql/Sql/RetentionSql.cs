using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements that remove expired data.</summary>
/// <remarks>Common parameters of the walks: $1 only ids above this one, $2 how many rows to scan, $3 how long completed entries are kept,
/// in microseconds, $4 failed ones, $5 cancelled ones. One node at a time walks; for the others, the statement returns that it is not their
/// turn.</remarks>
internal static class RetentionSql
{
    private const string Turn = """
        mine as materialized (
            select t.name from {schema}.turns t where t.name = 'retention' for update skip locked
        ), turn as (
            update {schema}.turns t set taken_at = clock_timestamp() from mine f where t.name = f.name returning 1 as mine
        )
        """;

    // The last entry of a chunk is included with all its runs, of which one is final.
    private const string Chunk = $$"""
        chunk as materialized (
            select o.entry, o.fence,
                o.final and o.ended_at < clock_timestamp() - (case o.kind when {{Codes.OutcomeCompleted}} then $3::bigint
                    when {{Codes.OutcomeFailed}} then $4 else $5 end) * interval '1 microsecond' as old
            from {schema}.outcomes o
            where exists (select from turn) and o.entry > $1
        """;

    // An entry is removed with all its data in one statement, and only if no claim lists it: a sweep that found it in a claim, without an
    // outcome, would run it again. No claim that was made after the entry ended can list it. If an operator puts the entry back in the
    // meantime, its outcome is no longer final when the delete reaches the row.
    // The record and the steps of a finished task are removed with the entry that it is bound to, which is its last one.
    private const string Removal = $$"""
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
            select t.id from {schema}.tasks t where t.entry_id = any(array(select entry from gone)) and t.state >= {{Codes.TaskCompleted}}
        ), own_steps as (
            delete from {schema}.steps s where s.task is null and s.entry = any(array(select entry from gone))
        ), own_checkpoints as (
            delete from {schema}.checkpoints s where s.task is null and s.entry = any(array(select entry from gone))
        ), reported as (
            delete from {schema}.reports r where r.entry = any(array(select entry from gone))
        ), logged as (
            delete from {schema}.run_logs l where l.entry = any(array(select entry from gone))
        ),
        """ + TaskRemoval + """

        select exists (select from turn), coalesce((select max(entry) from chunk), $1), (select count(*) from gone),
            (select count(*) from chunk) < $2 or coalesce(
                (select e.created_at between clock_timestamp() - $6 * interval '1 microsecond' and clock_timestamp()
                    from {schema}.entries e where e.id = (select max(entry) from chunk)), false)
        """;

    private const string TaskRemoval = $$"""
         task_steps as (
            delete from {schema}.steps s where s.task = any(array(select id from ended))
        ), task_checkpoints as (
            delete from {schema}.checkpoints s where s.task = any(array(select id from ended))
        ), records as (
            delete from {schema}.tasks t where t.id = any(array(select id from ended)) and t.state >= {{Codes.TaskCompleted}}
            returning t.id
        )
        """;

    /// <summary>Removes expired entries. $6 the walk ends at entries that were created less than this long ago, in microseconds. It
    /// passes those with a time to come, which were stored while the clock was ahead.</summary>
    /// <returns>Whether it was this node's turn, the last id scanned, how many entries were removed, and whether no later entry can be old
    /// enough.</returns>
    internal const string PurgeEnded = $$"""
        with {{Turn}}, {{Chunk}}
        {{Removal}}
        """;

    /// <summary>As <see cref="PurgeEnded"/>, for entries that failed or were cancelled. These have an index of their own, and are few if
    /// completed entries are kept for longer.</summary>
    internal const string PurgeUnwell = $$"""
        with {{Turn}}, {{Chunk}} and o.final and o.kind <> {{Codes.OutcomeCompleted}}
        {{Removal}}
        """;

    /// <summary>Removes expired tasks that were closed without an entry, or whose entry no longer exists. Tasks that the old system
    /// finished are not touched.</summary>
    /// <returns>Whether it was this node's turn, the last id scanned, how many tasks were removed, and whether there are no more.</returns>
    internal const string PurgeTasks = $$"""
        with {{Turn}}, chunk as materialized (
            select t.id, t.entry_id, t.state >= {{Codes.TaskCompleted}} and (t.entry_id is not null or t.reason is not null)
                and t.ended_at < clock_timestamp() - (case t.state when {{Codes.TaskCompleted}} then $3::bigint
                    when {{Codes.TaskFailed}} then $4 else $5 end) * interval '1 microsecond' as old
            from {schema}.tasks t
            where exists (select from turn) and t.id > $1 order by t.id limit $2
        ), ended as materialized (
            select ch.id from chunk ch where ch.old and (select e.id from {schema}.entries e where e.id = ch.entry_id) is null
        ), {{TaskRemoval}}
        select exists (select from turn), coalesce((select ch.id from chunk ch order by ch.id desc limit 1), $1), (select count(*)
            from records),
            (select count(*) from chunk) < $2
        """;

    /// <summary>How many seconds ago a node last had its turn. Returns nothing if the row is missing.</summary>
    internal const string LastTurn =
        "select extract(epoch from clock_timestamp() - t.taken_at)::float8 from {schema}.turns t where t.name = 'retention'";

    /// <summary>Removes cancel requests whose entry has ended. An erasure ends an entry while it runs: its request stays until the claim is
    /// gone, because the node may not have seen it.</summary>
    internal const string PurgeRequests = $$"""
        delete from {schema}.cancellations a
        where (select o.entry from {schema}.outcomes o
                where o.entry = a.entry and o.final and (o.reason is distinct from {{Codes.Erased}}
                    or (select c.id from {schema}.claims c where c.id = o.fence) is null) limit 1) is not null
            or (select e.id from {schema}.entries e where e.id = a.entry) is null
        """;

    /// <summary>Removes dead nodes without claims. $1 how long ago they died at least, in microseconds.</summary>
    /// <remarks>Skips locked rows, as <see cref="PurgeHeartbeats"/> does: another transaction that keeps one must not keep everything else
    /// from being removed.</remarks>
    internal const string PurgeNodes = """
        delete from {schema}.nodes n
        where n.number = any (array(
            select n.number from {schema}.nodes n
            where n.dead_at < clock_timestamp() - $1 * interval '1 microsecond'
                and not exists (select from {schema}.claims c where c.node = n.number)
            for update skip locked))
        """;

    /// <summary>Removes heartbeats whose node is dead or does not exist: an operator has written to the tables, or had locked the row when
    /// the node was declared dead.</summary>
    /// <remarks>Skips from node to node through the index, from its end, where the newest version of each row comes first: an old snapshot
    /// keeps the version of every heartbeat.</remarks>
    internal const string PurgeHeartbeats = """
        with recursive reporting as (
            (select h.node from {schema}.heartbeats h order by h.node desc limit 1)
            union all
            select p.node from reporting r cross join lateral (
                select h.node from {schema}.heartbeats h where h.node < r.node order by h.node desc limit 1) p
        )
        delete from {schema}.heartbeats h
        where h.ctid = any (array(
            select h.ctid from {schema}.heartbeats h
            where h.node = any (array(
                select r.node from reporting r
                where (select n.number from {schema}.nodes n where n.number = r.node and n.dead_at is null) is null))
            for update skip locked))
        """;

    /// <summary>Ends entries that have been due for too long. $1 how long, in microseconds, $2 reason, $3 how many at most. Returns how
    /// many ended.</summary>
    /// <remarks>Finds them by skipping from lane to lane (queue and level) through the index. Entries that a claim takes in the meantime
    /// are skipped.</remarks>
    internal const string Expire = """
        with recursive lane as (
            (select w.queue, w.priority from {schema}.waiting w order by w.queue, w.priority limit 1)
            union all
            select n.queue, n.priority from lane l cross join lateral (
                select w.queue, w.priority from {schema}.waiting w
                    where (w.queue, w.priority) > (l.queue, l.priority) order by w.queue, w.priority limit 1) n
        ), overdue as materialized (
            select o.tid from lane l cross join lateral (
                select w.ctid as tid from {schema}.waiting w
                where w.queue = l.queue and w.priority = l.priority
                    and w.run_at < (select clock_timestamp()) - $1 * interval '1 microsecond'
                order by w.run_at limit $3) o
            limit $3
        ), gone as (
            delete from {schema}.waiting where ctid = any(array(
                select w.ctid from {schema}.waiting w
                where w.ctid = any(array(select o.tid from overdue o)) and w.run_at < clock_timestamp() - $1 * interval '1 microsecond'
                    for update skip locked))
        """ + " " + OperatorSql.EndTaken;
}
