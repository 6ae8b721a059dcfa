using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Checks the invariant: every entry is in exactly one state, which is waiting, running or ended. A job that is not active, or
/// whose next run would be after its end, has no planned run. A job that does not let its runs overlap has one run that has started and,
/// with <see cref="OverlapPolicy.QueueOne"/>, one that waits. No unfinished task belongs to an entry that has ended.</summary>
/// <remarks>Some tasks are not counted: those from before the job was changed, those whose entry brings a policy of its own, and those
/// that recovery bound to a new entry. An operator may let any number of runs wait by retrying them.</remarks>
internal static class InvariantSql
{
    /// <summary>One row per violation, at most 1,000.</summary>
    public const string Violations = $"""
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
        ),
        unfinished (task, job, name, overlap, started, was_ended) as (
            select t.id, j.id, j.name, j.overlap, t.started_at is not null,
                exists (select 1 from taskrecovery_outcomes o where o.entry = t.entry_id
                    and o.kind in ({Codes.OutcomeFailed}, {Codes.OutcomeCancelled}))
            from taskrecovery_tasks t
            join taskrecovery_jobs j on j.id = t.job_id
            join taskrecovery_entries e on e.id = t.entry_id
            where {Codes.TaskUnfinished} and t.created_at >= j.updated_at
                and cast(e.args as text) like '%"taskId"%null%' and cast(e.args as text) not like '%"overlap"%'
        )
        select * from (
            select 'entry ' || id || ' is in ' || (waiting + running + ended) || ' places: waiting '
                || waiting || ', running ' || running || ', ended ' || ended
            from places where waiting + running + ended <> 1
            union all
            select 'waiting lists entry ' || id || ', which is not in entries' from taskrecovery_waiting
            where id not in (select id from taskrecovery_entries)
            union all
            select 'claim ' || fence || ' lists entry ' || id || ', which is not in entries' from running
            where id not in (select id from taskrecovery_entries)
            union all
            select 'entry ' || id || ' is of queue number ' || queue || ' and kind number ' || kind || ', which have no names'
                from taskrecovery_entries
            where queue not in (select id from taskrecovery_queues) or kind not in (select id from taskrecovery_kinds)
            union all
            select 'entry ' || w.id || ' waits with a queue or kind that is not its own' from taskrecovery_waiting w
                join taskrecovery_entries e on e.id = w.id
            where w.queue <> e.queue or w.kind <> e.kind
            union all
            select 'unique key ' || key || ' is held by entry ' || entry || ', which has ended' from taskrecovery_unique_keys k
            where exists (select 1 from taskrecovery_outcomes o where o.entry = k.entry and o.final = 1)
            union all
            select 'job ' || name || ' is paused or has ended, but has planned entry ' || planned_entry from taskrecovery_jobs
            where state <> {Codes.JobActive} and planned_entry is not null
            union all
            select 'job ' || name || ' ends at ' || end_at || ', but has a run planned for ' || next_run_at from taskrecovery_jobs
            where planned_entry is not null and next_run_at > end_at
            union all
            select 'job ' || name || ' lets no runs overlap, but tasks ' || group_concat(lower(hex(task)), ' and ') || ' run'
            from unfinished where started and overlap <> {Codes.OverlapAllow} group by job, name having count(*) > 1
            union all
            select 'job ' || name || ' lets one run wait, but tasks ' || group_concat(lower(hex(task)), ' and ') || ' wait'
            from unfinished where not started and not was_ended and overlap = {Codes.OverlapQueueOne} group by job, name having count(*) > 1
            union all
            select 'task ' || lower(hex(t.id)) || ' is unfinished, but its entry ' || t.entry_id || ' has ended' from taskrecovery_tasks t
            where {Codes.TaskUnfinished}
                and exists (select 1 from taskrecovery_outcomes o where o.entry = t.entry_id and o.final = 1)
        ) limit 1000
        """;
}
