using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements that erase application data from entries.</summary>
internal static class EraseSql
{
    /// <summary>The highest id.</summary>
    internal const string Last = "select coalesce(max(e.id), 0) from {schema}.entries e";

    /// <summary>Entries with a unique key. $1 only ids above this one, $2 up to this one, $3 key, $4 kind, or null.</summary>
    internal const string FindByKey = """
        select e.id, null::text from {schema}.entries e
        where e.id > $1 and e.id <= $2 and e.unique_key = $3
            and ($4::text is null or e.kind = (select k.id from {schema}.kinds k where k.name = $4))
        order by e.id
        """;

    /// <summary>Entries whose metadata contain a text; the caller examines them. $1 only ids above this one, $2 up to this one, $3
    /// text.</summary>
    internal const string FindByMetadata = """
        select e.id, e.metadata from {schema}.entries e where e.id > $1 and e.id <= $2 and strpos(e.metadata, $3) > 0 order by e.id
        """;

    /// <summary>Ends a running entry under the fence of its claim. $1 its id. Returns how many entries ended.</summary>
    /// <remarks>Works like a finish: the claim is locked against a sweep, and the key (entry, fence) decides between this outcome and the
    /// node's own.</remarks>
    internal static readonly string EndRunning = $$"""
        with clock as materialized (select clock_timestamp() as now), held as materialized (
            select c.id, c.node, c.claimed_at, c.again, c.again_attempts, c.again_crashes from {schema}.claims c
            where c.entries && array[$1::bigint] order by c.id for share
        ), done as (
            insert into {schema}.outcomes (entry, fence, ended_at, duration_ms, node, kind, attempt, crashes, final, reason)
            select $1, h.id, c.now, {{OutcomeSql.Milliseconds("h.claimed_at", "c.now")}}, h.node,
                {{Codes.OutcomeCancelled}},
                coalesce(h.again_attempts[array_position(h.again, $1)], 0::smallint) + 1,
                    coalesce(h.again_crashes[array_position(h.again, $1)], 0::smallint), true, {{Codes.Erased}}
            from held h cross join clock c
            where (select o.entry from {schema}.outcomes o where o.entry = $1 and o.final limit 1) is null
            on conflict do nothing
            returning *
        )
        """ + OutcomeSql.FollowFinal + " select count(*) from done";

    /// <summary>Locks the outcome that ended an entry. $1 its id. A retry of the same entry locks it too, and then finds the
    /// reason.</summary>
    internal const string LockEnd = "select o.entry from {schema}.outcomes o where o.entry = $1 and o.final for update";

    /// <summary>Locks an entry: waits for log lines that are being stored, and lets later ones find that it is erased. $1 its
    /// id.</summary>
    internal const string LockEntry = "select e.id from {schema}.entries e where e.id = $1 for no key update";

    /// <summary>Takes an entry that has ended out of the claims that still list it: waits for steps, checkpoints and reports that are being
    /// stored, and lets later ones find that the claim no longer lists the entry. $1 its id.</summary>
    /// <remarks>The outcome alone does not stop them: a statement that began before the outcome was committed does not see it.</remarks>
    internal const string TakeFromClaims = """
        with held as materialized (
            select c.id from {schema}.claims c
            where c.entries && array[$1::bigint]
                and (select o.entry from {schema}.outcomes o where o.entry = $1 and o.final limit 1) is not null
            order by c.id for no key update
        ), taken as (
            update {schema}.claims c set partly = true, entries = array_remove(c.entries, $1::bigint) from held h where c.id = h.id
            returning c.id
        )
        select count(*) from taken
        """;

    /// <summary>Blanks an entry that has ended. $1 its id. Returns whether the entry exists, and whether it is erased.</summary>
    /// <remarks>Sent after <see cref="LockEnd"/>, <see cref="LockEntry"/> and <see cref="TakeFromClaims"/> in the same transaction, so that
    /// its snapshot contains what they have waited for. Retention locks in the same order: outcomes, then entries. For
    /// <c>= any (array[...])</c> see <see cref="OutcomeSql.FollowFinal"/>.</remarks>
    internal const string Blank = $$"""
        with ended as materialized (
            select o.entry from {schema}.outcomes o where o.entry = $1 and o.final for update
        ), payload as (
            update {schema}.entries e set args = '', unique_key = null, metadata = null, trace_parent = null from ended d
                where e.id = any (array[d.entry])
        ), results as (
            update {schema}.outcomes o set result = null, error = null, black_box = null, reason = case when o.final then {{Codes.Erased}}
                else o.reason end
            from ended d where o.entry = any (array[d.entry])
        ), records as (
            update {schema}.tasks t set result = null, error = null from ended d where t.entry_id = any (array[d.entry])
                returning t.id
        ), steps as (
            delete from {schema}.steps s where s.entry = any (array(select d.entry from ended d))
                or s.task = any (array(select r.id from records r))
        ), reported as (
            delete from {schema}.reports r where r.entry = any (array(select d.entry from ended d))
        ), logged as (
            delete from {schema}.run_logs l where l.entry = any (array(select d.entry from ended d))
        ), checkpoints as (
            delete from {schema}.checkpoints c where c.entry = any (array(select d.entry from ended d))
                or c.task = any (array(select r.id from records r))
        )
        select exists (select from {schema}.entries e where e.id = $1), exists (select from ended)
        """;
}
