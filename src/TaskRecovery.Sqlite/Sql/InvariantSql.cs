namespace TaskRecovery.Sqlite;

/// <summary>Checks the invariant: every entry is in exactly one state, which is waiting, running or ended.</summary>
internal static class InvariantSql
{
    /// <summary>One row per violation, at most 1,000.</summary>
    public const string Violations = """
        with running (id, fence) as materialized (
            select e.value, c.id from taskrecovery_claims c, json_each(c.entries) e
            where not exists (select 1 from taskrecovery_outcomes o where o.entry = e.value and o.fence = c.id)
        ),
        places (id, waiting, running, ended) as (
            select id,
                exists (select 1 from taskrecovery_waiting w where w.id = e.id),
                (select count(*) from running r where r.id = e.id),
                (select count(*) from taskrecovery_outcomes o where o.entry = e.id and o.final = 1)
            from taskrecovery_entries e
        )
        select * from (
            select 'entry ' || id || ' is in ' || (waiting + running + ended) || ' places: waiting ' || waiting || ', running ' || running || ', ended ' || ended
            from places where waiting + running + ended <> 1
            union all
            select 'waiting lists entry ' || id || ', which is not in entries' from taskrecovery_waiting
            where id not in (select id from taskrecovery_entries)
            union all
            select 'claim ' || fence || ' lists entry ' || id || ', which is not in entries' from running
            where id not in (select id from taskrecovery_entries)
            union all
            select 'entry ' || id || ' is of queue number ' || queue || ' and kind number ' || kind || ', which have no names' from taskrecovery_entries
            where queue not in (select id from taskrecovery_queues) or kind not in (select id from taskrecovery_kinds)
            union all
            select 'entry ' || w.id || ' waits with a queue or kind that is not its own' from taskrecovery_waiting w join taskrecovery_entries e on e.id = w.id
            where w.queue <> e.queue or w.kind <> e.kind
            union all
            select 'unique key ' || key || ' is held by entry ' || entry || ', which has ended' from taskrecovery_unique_keys k
            where exists (select 1 from taskrecovery_outcomes o where o.entry = k.entry and o.final = 1)
        ) limit 1000
        """;
}
