using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>The part of the invariant that is about jobs.</summary>
internal static class JobInvariantSql
{
    /// <summary>A job that is not active, or whose next run would be after its end, has no planned run. A job that does not let its runs
    /// overlap has one run that has started and, with <see cref="OverlapPolicy.QueueOne"/>, one that waits. No unfinished task belongs to
    /// an entry that has ended. <c>unfinished_tasks</c> lists the unfinished tasks and no others.</summary>
    /// <remarks>Some tasks are not counted: those from before the job was changed, those whose entry brings a policy of its own, and those
    /// that recovery bound to a new entry. An operator may let any number of runs wait by retrying them.</remarks>
    /// <returns>A line for each violation, at most 1,000 of each kind.</returns>
    internal const string Clauses = $$"""
        (select 'job ' || j.name || ' is paused or has ended, but has planned entry ' || j.planned_entry
        from {schema}.jobs j where j.state <> {{Codes.JobActive}} and j.planned_entry is not null
        limit 1000)
        union all
        (select 'job ' || j.name || ' ends at ' || j.end_at || ', but has a run planned for ' || j.next_run_at
        from {schema}.jobs j where j.planned_entry is not null and j.next_run_at > j.end_at
        limit 1000)
        union all
        (select 'job ' || j.name || ' lets no runs overlap, but tasks ' || string_agg(t.id::text, ' and ' order by t.id) || ' run'
        {{Unfinished}} and t.started_at is not null and j.overlap <> {{Codes.OverlapAllow}}
        group by j.id, j.name having count(*) > 1
        limit 1000)
        union all
        (select 'job ' || j.name || ' lets one run wait, but tasks ' || string_agg(t.id::text, ' and ' order by t.id) || ' wait'
        {{Unfinished}} and t.started_at is null and j.overlap = {{Codes.OverlapQueueOne}}
            and not exists (select from {schema}.outcomes o where o.entry = t.entry_id
                and o.kind in ({{Codes.OutcomeFailed}}, {{Codes.OutcomeCancelled}}))
        group by j.id, j.name having count(*) > 1
        limit 1000)
        union all
        (select 'task ' || t.id || ' is unfinished, but its entry ' || t.entry_id || ' has ended'
        {{TaskSql.FromUnfinished}}
        where (select o.entry from {schema}.outcomes o where o.entry = t.entry_id and o.final limit 1) is not null
        limit 1000)
        union all
        (select 'task ' || coalesce(t.id, u.task) || case
                when u.task is null then ' is unfinished, but not listed as such'
                when t.id is null then ' does not exist in job ' || u.job_id || ', but is listed as unfinished'
                else ' has ended, but is listed as unfinished' end
        from {schema}.tasks t full join {schema}.unfinished_tasks u on u.task = t.id and u.job_id = t.job_id
        where coalesce({{Codes.TaskUnfinished}}, false) <> (u.task is not null)
        limit 1000)
        """;

    private const string Unfinished = $$"""
        {{TaskSql.FromUnfinished}}
            join {schema}.jobs j on j.id = t.job_id
            cross join lateral (select * from {schema}.entries e where e.id = t.entry_id offset 0) e
        where t.created_at >= j.updated_at and e.args like '%"taskId"%null%' and e.args not like '%"overlap"%'
        """;
}
