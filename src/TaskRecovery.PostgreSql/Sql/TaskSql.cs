using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>tasks</c>.</summary>
internal static class TaskSql
{
    private const string Columns =
        "t.id, t.job_id, t.entry_id, t.state, t.due_at, t.attempt, t.crashes, t.result, t.error, t.reason, t.node, t.created_at, t.started_at, t.ended_at";

    // A list contains no results, because a page of them could have any size.
    private const string Listed =
        "t.id, t.job_id, t.entry_id, t.state, t.due_at, t.attempt, t.crashes, null::text, t.error, t.reason, t.node, t.created_at, t.started_at, t.ended_at";

    private const string Reasons = "('job_deleted', 'job_not_active', 'missed', 'task_finished', 'overlap')";
    private const string LeavesOut = $"g.node is not null and g.bound is null and $5 is null and g.verdict in {Reasons}";

    /// <summary>$1 id.</summary>
    internal const string Find = $"select {Columns} from {{schema}}.tasks t where t.id = $1";

    /// <summary>Tasks, newest first. $1 job, or null; $2 state, or null; $3 how many at most.</summary>
    internal const string List = $$"""
        select {{Listed}} from {schema}.tasks t
        where ($1::uuid is null or t.job_id = $1) and ($2::smallint is null or t.state = $2)
        order by t.created_at desc, t.id desc limit $3
        """;

    /// <summary>As <see cref="List"/>, for unfinished states, which have an index of their own. $1 job; $2 state; $3 how many at
    /// most.</summary>
    internal const string ListUnfinished = $$"""
        select {{Listed}} from {schema}.tasks t
        where t.job_id = $1 and t.state < 2 and t.state = $2
        order by t.created_at desc, t.id desc limit $3
        """;

    /// <summary>Unfinished tasks, oldest first. $1 job.</summary>
    internal const string ListIncomplete = $$"""
        select {{Listed}} from {schema}.tasks t where t.job_id = $1 and t.state < 2 order by t.created_at, t.id
        """;

    /// <summary>Starts the run of an entry. Sent right after <see cref="JobSql.Lock"/>, so that it sees the effects of earlier runs. $1
    /// node, $2 entry, $3 fence, $4 job, $5 the task that the entry names, or null, $6 attempt, $7 the id for a new task, $8 the entry's
    /// kind.</summary>
    /// <remarks>
    /// The verdict is one word. The node must still hold the claim, without an outcome of this entry under it; the claim's row is locked
    /// against a sweep.
    /// If a new run must not start, this statement changes nothing: <see cref="StartOrSkip"/>, sent after it, skips the run. Including that
    /// here would cost every other run a tenth of its time.
    /// If a task is bound to this entry, the task runs again, unless it has finished or its job is paused or deleted. The task of a single
    /// run continues although its job ended with it.
    /// If the entry names a task that is not bound to it, the entry is superseded. It is also superseded if its job has another kind by
    /// now, because its handler does not know the job's arguments.
    /// Any other entry is a new run. It starts only if its job is active; if it is not missed, or missed runs are not skipped; if no other
    /// task is unfinished, or runs may overlap (if all missed runs have to run, a missed one waits); and if its due time has had no task
    /// yet.
    /// Only the planned entry plans the next run: its due time was the job's next run, and the next one is on the same grid, or on a new
    /// grid that begins at a later start_at. Each due time has at most one task, and so has each entry.
    /// Jobs of the old system may have any interval and time: an interval below a second becomes a second, and an infinite time becomes the
    /// current time.
    /// </remarks>
    internal static readonly string Start = Starting("'claim_lost'", "", "verdict = 'started'", "g.verdict");

    /// <summary>As <see cref="Start"/>, and a new run that does not start is skipped permanently.</summary>
    /// <remarks>
    /// The outcome is stored with the verdict. Otherwise a lost answer or a crash would cause a second verdict, against a plan that has
    /// changed since. The later finish finds that outcome, and a repeated start returns the same verdict. If another outcome was stored
    /// first (the run was put back in the meantime), nothing else is changed.
    /// </remarks>
    internal static readonly string StartOrSkip = Starting(
        $$"""
        coalesce((
                    select o.reason from {schema}.outcomes o join {schema}.nodes n on n.number = o.node
                    where o.entry = $2 and o.fence = $3 and n.id = $1 and (o.kind = 2 and o.reason in {{Reasons}} or o.kind = 7 and o.reason = 'superseded')), 'claim_lost')
        """,
        $$"""
        ), left_out as (
            insert into {schema}.outcomes (entry, fence, ended_at, duration_ms, node, kind, attempt, crashes, final, reason)
            select $2, $3, g.now, 0, c.node, 2, $6, c.crashes, true, g.verdict
            from judged g
            cross join lateral (
                select c.node, coalesce(c.again_crashes[array_position(c.again, $2)], 0::smallint) as crashes
                from {schema}.claims c where c.id = $3 and $2 = any (c.entries) offset 0) c
            where {{LeavesOut}}
            on conflict do nothing
            returning entry

        """,
        "(verdict = 'started' or (verdict in ('missed', 'overlap', 'task_finished') and exists (select from left_out)))",
        $"case when {LeavesOut} and not exists (select from left_out) then 'claim_lost' else g.verdict end");

    private static string Starting(string lost, string leftOut, string plans, string verdict) => $$"""
        with held as materialized (
            select {{NodeSql.Label}} as name from {schema}.claims c join {schema}.nodes n on n.number = c.node
            where c.id = $3 and n.id = $1 and not exists (select from {schema}.outcomes o where o.entry = $2 and o.fence = $3)
            for key share of c
        ), facts as materialized (
            select h.name as node, clock.now, j.id as job, j.entry_kind, j.state, j.missed_runs, j.overlap, j.next_run_at as due, j.start_at,
                case when j.every is not null then greatest(j.every, interval '1 second') end as every, b.id as bound, b.state as bound_state, m.id as named, m.state as named_state,
                coalesce(j.planned_entry = $2, false) as planned,
                coalesce(j.planned_entry = $2 and j.every is not null and j.next_run_at < clock.now - greatest(j.every, interval '1 second'), false) as missed
            from (select clock_timestamp() as now) clock
            left join held h on true
            left join {schema}.jobs j on j.id = $4
            left join {schema}.tasks b on b.entry_id = $2
            left join {schema}.tasks m on m.id = $5
        ), judged as materialized (
            select f.*, case
                when f.node is null then {{lost}}
                when f.bound is not null and f.bound_state >= 2 then 'task_finished'
                when f.bound is null and $5 is not null and f.named is null then 'task_not_found'
                when f.bound is null and $5 is not null and f.named_state >= 2 then 'task_finished'
                when f.bound is null and $5 is not null then 'superseded'
                when f.job is null then 'job_deleted'
                when f.entry_kind <> $8 then case when f.bound is null then 'superseded' else 'kind_changed' end
                when f.state = 1 then 'job_not_active'
                when f.bound is not null then 'recovered'
                when f.state <> 0 then 'job_not_active'
                when f.missed and f.missed_runs = 1 then 'missed'
                when f.planned and exists (select from {schema}.tasks d where d.job_id = $4 and d.due_at = f.due) then 'task_finished'
                when f.overlap = 0 and exists (select from {schema}.tasks u where u.job_id = $4 and u.state < 2)
                    then case when f.missed and f.missed_runs = 2 then 'wait' else 'overlap' end
                else 'started' end as verdict
            from facts f
        {{leftOut}}), started as (
            insert into {schema}.tasks (id, job_id, entry_id, state, due_at, attempt, node, started_at)
            select $7, $4, $2, 1, case when planned then due end, $6, node, now from judged where verdict = 'started'
            returning *
        ), resumed as (
            update {schema}.tasks t set state = 1, attempt = $6, node = g.node, started_at = g.now
            from judged g where g.verdict = 'recovered' and t.entry_id = $2 and t.state < 2
            returning t.*
        ), next as materialized (
            select case
                when every is null then null
                when begins_anew and (missed_runs = 2 or base > now) then base
                when missed_runs = 2 then base + every
                else base + every * (greatest(floor(extract(epoch from now - base) / extract(epoch from every)), 0) + 1)::float8 end as due
            from judged
            cross join lateral (select case when isfinite(due) then due else now end as was_due) w
            cross join lateral (select coalesce(isfinite(start_at) and start_at > was_due, false) as begins_anew) a
            cross join lateral (select case when begins_anew then start_at else was_due end as base) b
            where planned and {{plans}}
        ), entry as (
            insert into {schema}.entries (queue, kind, priority, max_attempts, args, timeout)
            select q.id, k.id, j.priority, j.max_attempts, json_build_object('jobId', j.id, 'taskId', null)::text, j.timeout
            from next n
            join {schema}.jobs j on j.id = $4
            join {schema}.queues q on q.name = j.queue
            join {schema}.kinds k on k.name = j.entry_kind
            where n.due is not null
            returning id, queue, kind, priority
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority)
            select greatest(n.due, clock_timestamp()), e.id, e.queue, e.kind, e.priority from entry e, next n
        ), planned as (
            update {schema}.jobs j set next_run_at = n.due, planned_entry = (select id from entry), state = case when n.due is null then 2 else j.state end
            from next n where j.id = $4
        )
        select {{verdict}}, coalesce((select due from next), case when j.planned_entry is not null then j.next_run_at end),
            {{Columns}},
            j.id, j.name, j.kind, j.args, (extract(epoch from j.every) * 1000000)::bigint, j.once_at, j.state, j.overlap, j.missed_runs, j.queue, j.priority,
            j.max_attempts, (extract(epoch from j.timeout) * 1000000)::bigint, null::timestamptz, j.created_at, j.updated_at, j.declared_by
        from judged g
        left join (select * from started union all select * from resumed) t on true
        left join {schema}.jobs j on j.id = $4
        """;

    /// <summary>Adds a recovery entry for unfinished tasks without an entry, or closes them. $1 the maximum age of a task since its
    /// creation, in microseconds, $2 max crashes, $3 how many at most. Returns task, its entry, entry kind, node, crashes, reason (null if
    /// it runs again), queue.</summary>
    /// <remarks>
    /// The task's row is locked, and its entry is replaced only if it is still the one that was found missing: a simultaneous second sweep
    /// finds it changed, or skips it.
    /// The new entry continues the crash count and the spent attempts; steps and the checkpoint belong to the task. Recovered tasks precede
    /// ordinary entries.
    /// </remarks>
    internal static readonly string Recover = $$"""
        with found as materialized (
            select t.id, t.entry_id from {schema}.tasks t
            where {{Codes.TaskUnfinished}} and (select e.id from {schema}.entries e where e.id = t.entry_id) is null
            limit $3
        ), held as materialized (
            select t.id, t.entry_id, t.state, t.attempt, t.crashes, t.node, j.id as job, j.entry_kind, j.queue, j.priority, j.max_attempts, j.timeout,
                case
                    when j.id is null then {{Codes.JobDeleted}}
                    when t.created_at < clock_timestamp() - $1 * interval '1 microsecond' then {{Codes.TooOld}}
                    when j.state = {{Codes.JobPaused}} then {{Codes.JobNotActive}}
                    when t.crashes > $2 then {{Codes.CrashLoop}} end as reason
            from {schema}.tasks t
            join found f on f.id = t.id
            left join {schema}.jobs j on j.id = t.job_id
            where {{Codes.TaskUnfinished}} and t.entry_id is not distinct from f.entry_id
            for update of t skip locked
        ), closed as (
            update {schema}.tasks t set state = case h.reason when {{Codes.CrashLoop}} then {{Codes.TaskFailed}} else {{Codes.TaskCancelled}} end, reason = h.reason, ended_at = clock_timestamp()
            from held h where t.id = h.id and h.reason is not null
        ), numbered as materialized (
            select h.*, q.id as queue_id, k.id as kind_id, nextval('{schema:literal}.entries_id_seq') as entry,
                case when h.state = {{Codes.TaskRunning}} then greatest(h.attempt - 1, 0) else h.attempt end as spent
            from held h
            join {schema}.queues q on q.name = h.queue
            join {schema}.kinds k on k.name = h.entry_kind
            where h.reason is null
        ), added as (
            insert into {schema}.entries (id, queue, kind, priority, max_attempts, args, timeout) overriding system value
            select n.entry, n.queue_id, n.kind_id, n.priority, n.max_attempts, json_build_object('jobId', n.job, 'taskId', n.id)::text, n.timeout from numbered n
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority, attempt, crashes)
            select clock_timestamp(), n.entry, n.queue_id, n.kind_id,
                case when n.crashes = 0 and $2 = 1 then n.priority else least(greatest(-n.crashes, {{CrashLevels.Lowest}}), -1) end, n.spent, n.crashes
            from numbered n
        ), bound as (
            update {schema}.tasks t set entry_id = n.entry, state = {{Codes.TaskCreated}}, attempt = n.spent from numbered n where t.id = n.id
        )
        select h.id, null::bigint, h.entry_kind, h.node, h.crashes, h.reason, h.queue from held h where h.reason is not null
        union all
        select n.id, n.entry, n.entry_kind, n.node, n.crashes, null, n.queue from numbered n
        """;

    /// <summary>Closes unfinished tasks whose entry has ended, with the outcome of the entry. $1 how many at most. Returns task, entry,
    /// entry kind, node, crashes, reason.</summary>
    internal static readonly string CloseEnded = $$"""
        with found as materialized (
            select t.id as task, k.name as kind_name, o.* from {schema}.tasks t
            cross join lateral (select * from {schema}.outcomes o where o.entry = t.entry_id and o.final offset 0) o
            left join lateral (select * from {schema}.entries e where e.id = o.entry offset 0) e on true
            left join {schema}.kinds k on k.id = e.kind
            where {{Codes.TaskUnfinished}}
            limit $1
        )
        update {schema}.tasks t set state = {{Codes.TaskStateOf("f.kind")}}, result = f.result, error = coalesce(f.error, t.error), reason = f.reason,
            attempt = f.attempt, crashes = f.crashes, ended_at = f.ended_at
        from found f
        where t.id = f.task and t.entry_id = f.entry and {{Codes.TaskUnfinished}}
        returning t.id, t.entry_id, f.kind_name, t.node, t.crashes, t.reason
        """;
}
