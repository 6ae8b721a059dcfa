using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements that start runs: one transaction for all starts that wait at the same moment. They lock the jobs, read the facts,
/// and apply what <see cref="TaskRecovery.Storage.TaskStartRules"/> has decided.</summary>
/// <remarks>Every look-up is a subquery of its own with <c>offset 0</c>, so that it uses its index whatever the statistics say. What is
/// updated can't be in a subquery, and is found by <c>= any (array[...])</c>. For the range of a task's id see
/// <see cref="TaskSql.FromUnfinished"/>.</remarks>
internal static class StartSql
{
    /// <summary>What <see cref="Apply"/> does with a run: nothing but the plan.</summary>
    internal const short OnlyPlan = 0;

    /// <summary>Creates a task.</summary>
    internal const short Insert = 1;

    /// <summary>Marks the bound task as running.</summary>
    internal const short Resume = 2;

    /// <summary>Ends the entry as cancelled.</summary>
    internal const short End = 3;

    /// <summary>Creates a task that waits for its first start.</summary>
    internal const short Queue = 4;

    private static readonly string NewState = $"case v.action when {Insert} then {Codes.TaskRunning} else {Codes.TaskCreated} end";

    /// <summary>Locks those jobs that no other transaction has locked, so that one job does not keep the starts of others waiting. $1 ids.
    /// Returns the ids of the locked ones.</summary>
    internal const string Lock = WaitForLock + " skip locked";

    /// <summary>Waits for the lock of a job, as the first lock of its transaction, so that two of them can't deadlock. $1 an array with
    /// its id. Returns the id if the job exists.</summary>
    internal const string WaitForLock = "select j.id from {schema}.jobs j where j.id = any ($1) for no key update";

    /// <summary>Limits how long the later statements of the transaction wait for a lock. The error then has
    /// <see cref="StoreUnavailableException.IsLockTimeout"/>. $1 the limit, with its unit.</summary>
    internal const string LimitLocks = "select set_config('lock_timeout', $1, true)";

    /// <summary>As <see cref="LimitLocks"/>, for a transaction that waits in vain now and then, and is repeated.</summary>
    internal const string LimitWait = "select set_config('lock_timeout', '500ms', true)";

    /// <summary>Locks the unfinished tasks that runs would continue, except those that another transaction has locked. Sent after
    /// <see cref="Facts"/>, so that tasks are locked after claims, as outcomes lock them. $1 entries. Returns the entries of the locked
    /// ones.</summary>
    internal const string LockTasks = WaitForTasks + " skip locked";

    /// <summary>As <see cref="LockTasks"/>, but waits. $1 entries.</summary>
    internal const string WaitForTasks = $$"""
        select t.entry_id from {schema}.tasks t
        where t.entry_id = any ($1) and {{Codes.TaskUnfinished}} order by t.entry_id for no key update
        """;

    /// <summary>The facts about starts. Sent right after the locks, with a snapshot of its own, so that it contains what was committed
    /// before them. Those of a job that is not locked are not to be used. $1 nodes, $2 entries, $3 fences, $4 jobs, $5 the tasks that the
    /// entries name, or null, $6 the due times that the entries name, or null, $7 overlap policies of single runs, or null.</summary>
    /// <remarks>
    /// The rows of the claims are locked against a sweep, once for all starts under them, and not against outcomes, which lock them in the
    /// same mode. If this waits for a sweep that leaves a part of the claim, the outcomes of the sweep are not in the snapshot, but the
    /// locked row is the new one: the entry must still be in its list. The outcome is read only if the claim is not held.
    /// Jobs of the old system may have any interval and time: an interval below a second counts as a second, and an infinite time as now.
    /// </remarks>
    /// <returns>One row for each start: its number, the time, the node's label (null if the claim is not held), kind and reason of the
    /// outcome, the state of the named task; then about the job (null if there is none): its start_at, the due time of the planned run, its
    /// entry kind, whether the entry is the planned one, whether a task exists for the due time, whether a task is unfinished, and the
    /// numbers of its queue and entry kind, how many of its tasks wait for their first start (only if the policy lets runs wait; at most as
    /// many as can start in one batch), and whether the bound task has to wait for another one; for a run that was requested for a due
    /// time, the latest due time before it that has a task; for a run that waits while a task is unfinished, since when one is; for a bound
    /// task that waits for its first start, whether an operator has put it back; if each missed run is made up for and runs may not
    /// overlap, whether an unfinished task was created at or after the due time of the planned run; then the bound task and the
    /// job.</returns>
    internal static readonly string Facts = $$"""
        with clock as materialized (select clock_timestamp() as now), held as materialized (
            select c.id, n.id as node, n.label, case when c.partly then c.entries end as entries
            from {schema}.claims c
            cross join lateral (
                select n.id, {{NodeSql.Label}} as label from {schema}.nodes n where n.number = c.node offset 0) n
            where c.id = any ($3)
            order by c.id
            for share of c
        )
        select g.n, c.now, h.label, o.kind, o.reason, m.state,
            j.finite_start_at, j.due, j.entry_kind, j.planned_entry is not distinct from g.entry,
            coalesce(
                (j.planned_entry = g.entry or g.due is not null)
                and (select d.id from {schema}.tasks d
                    where d.job_id = g.job and d.due_at = case when j.planned_entry = g.entry then j.due
                        else g.due end limit 1) is not null, false),
            (select t.id {{TaskSql.FromUnfinished}} where u.job_id = g.job limit 1) is not null,
            (select q.id from {schema}.queues q where q.name = j.queue), (select k.id from {schema}.kinds k where k.name = j.entry_kind),
            case when coalesce(g.overlap, j.overlap) > {{(int)OverlapPolicy.Allow}} then (
                select count(*) from (
                    select {{TaskSql.FromUnfinished}} where u.job_id = g.job and t.started_at is null
                    limit {{StartBatches.MaxItems}}) w) else 0 end,
            case when t.id is not null and t.started_at is null and coalesce(g.overlap, j.overlap) <> {{(int)OverlapPolicy.Allow}} then (
                select o.id from {schema}.unfinished_tasks u
                cross join lateral (
                    select * from {schema}.tasks o where o.id >= u.task and o.id <= u.task order by o.id limit 1) o
                where u.job_id = g.job and o.state < {{Codes.TaskCompleted}} and o.id <> t.id
                    and (o.started_at is not null or (o.created_at, o.id) < (t.created_at, t.id)) limit 1) is not null else false end,
            case when g.due is not null and j.planned_entry is distinct from g.entry then (
                select d.due_at from {schema}.tasks d where d.job_id = g.job and d.due_at < g.due order by d.due_at desc limit 1) end,
            case when g.due is not null and j.planned_entry is distinct from g.entry
                or coalesce(g.overlap, j.overlap) > {{(int)OverlapPolicy.Allow}}
                or coalesce(g.overlap, j.overlap) <> {{(int)OverlapPolicy.Allow}}
                    and (j.missed_runs = {{(int)MissedRunPolicy.RunAll}} or t.id is not null and t.started_at is null) then (
                select coalesce(min(t.started_at), min(t.created_at)) {{TaskSql.FromUnfinished}} where u.job_id = g.job) end,
            case when t.id is not null and t.started_at is null then (
                select p.entry from {schema}.outcomes p
                where p.entry = g.entry and not p.final and p.kind in {{Codes.KindsThat(OutcomeRules.Ends)}} limit 1) is not null
                else false end,
            case when j.planned_entry = g.entry and j.missed_runs = {{(int)MissedRunPolicy.RunAll}}
                and coalesce(g.overlap, j.overlap) <> {{(int)OverlapPolicy.Allow}} then (
                select t.id {{TaskSql.FromUnfinished}} where u.job_id = g.job and t.created_at >= j.due limit 1) is not null
                else false end,
            {{TaskSql.Columns}}, {{JobSql.Columns}}
        from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::smallint[]) with ordinality
            g (node, entry, fence, job, task, due, overlap, n)
        cross join clock c
        left join lateral (
            select h.label from held h
            where h.id = g.fence and h.node = g.node and (h.entries is null or g.entry = any (h.entries))
                and (select o.entry from {schema}.outcomes o where o.entry = g.entry and o.fence = g.fence) is null) h on true
        left join lateral (
            select o.kind, o.reason from {schema}.outcomes o join {schema}.nodes n on n.number = o.node
            where h.label is null and o.entry = g.entry and o.fence = g.fence and n.id = g.node offset 0) o on true
        left join lateral (select m.state from {schema}.tasks m where m.id >= g.task and m.id <= g.task order by m.id limit 1) m on true
        left join lateral (select t.* from {schema}.tasks t where t.entry_id = g.entry offset 0) t on true
        left join lateral (
            select j.*, case when isfinite(j.start_at) then {{JobSql.Clamp("j.start_at")}} end as finite_start_at,
                case when isfinite(j.next_run_at) then {{JobSql.Clamp("j.next_run_at")}} else c.now end as due
            from {schema}.jobs j where j.id = g.job offset 0) j on true
        """;

    /// <summary>Applies verdicts, under the locks of <see cref="Facts"/>. $1 the time; then one element for each verdict that changes
    /// anything: $2 entries, $3 fences, $4 jobs, $5 what is done with the run, $6 attempts, $7 node labels, $8 tasks, $9 their due times,
    /// $10 reasons, $11 whether the job's plan changes, $12 the next due times (null if the job ends), $13 queue numbers and $14 kind
    /// numbers of the planned entries, $15 whether the tasks make up for missed runs.</summary>
    /// <remarks>An outcome that was stored in the meantime, because the run was put back, wins: then nothing is changed for this run, not
    /// even the plan. The facts may have waited for a claim, so the outcome is looked up again: an unfinished task of a run that is over
    /// would block its job.</remarks>
    /// <returns>The entries for which nothing was changed: their task was unbound, or their outcome was stored, in the meantime.</returns>
    internal static readonly string Apply = $$"""
        with given as materialized (
            select v.*, case when v.action in ({{Insert}}, {{Resume}}, {{Queue}}) then (
                select o.entry from {schema}.outcomes o where o.entry = v.entry and o.fence = v.fence) is not null
                else false end as is_over
            from unnest(
                $2::bigint[], $3::bigint[], $4::uuid[], $5::smallint[], $6::smallint[], $7::text[], $8::uuid[], $9::timestamptz[],
                $10::text[], $11::boolean[], $12::timestamptz[], $13::integer[], $14::smallint[], $15::boolean[])
                v (entry, fence, job, action, attempt, label, task, task_due, reason, plans, due, queue, kind, catch_up)
        ), ended as (
            insert into {schema}.outcomes (entry, fence, ended_at, duration_ms, node, kind, attempt, crashes, final, reason)
            select v.entry, v.fence, $1, 0, c.node, {{Codes.OutcomeCancelled}}, v.attempt, c.crashes, true, v.reason
            from given v
            cross join lateral (
                select c.node, coalesce(c.again_crashes[array_position(c.again, v.entry)], 0::smallint) as crashes
                from {schema}.claims c where c.id = v.fence and v.entry = any (c.entries) offset 0) c
            where v.action = {{End}}
            on conflict do nothing
            returning entry
        ), started as (
            insert into {schema}.tasks (id, job_id, entry_id, state, due_at, attempt, node, created_at, started_at, catch_up)
            select v.task, v.job, v.entry, {{NewState}}, v.task_due, v.attempt,
                case v.action when {{Insert}} then v.label end, $1, case v.action when {{Insert}} then $1 end, v.catch_up
            from given v where v.action in ({{Insert}}, {{Queue}}) and not v.is_over
        ), resumed as (
            update {schema}.tasks t set state = {{Codes.TaskRunning}}, attempt = v.attempt, node = v.label, started_at = $1
            from given v where v.action = {{Resume}} and not v.is_over and t.entry_id = any (array[v.entry]) and {{Codes.TaskUnfinished}}
            returning t.entry_id
        ), next as materialized (
            select j.tid, v.due, v.queue, v.kind,
                case when v.due is not null and v.queue is not null and v.kind is not null
                    then nextval('{schema:literal}.entries_id_seq') end as entry
            from given v
            cross join lateral (select j.ctid as tid from {schema}.jobs j where j.id = v.job offset 0) j
            where v.plans and not v.is_over and (v.action <> {{End}} or v.entry in (select e.entry from ended e))
        ), planned as (
            update {schema}.jobs j set next_run_at = n.due, planned_entry = n.entry,
                state = case when n.due is null then {{Codes.JobEnded}} else j.state end
            from next n where j.ctid = n.tid
            returning j.id, n.entry, n.due, n.queue, n.kind, j.priority, j.max_attempts, j.timeout
        ), added as (
            insert into {schema}.entries (id, queue, kind, priority, max_attempts, args, timeout) overriding system value
            select p.entry, p.queue, p.kind, p.priority, p.max_attempts, {{JobSql.ArgsOf("p.id", "p.due")}}, p.timeout
            from planned p where p.entry is not null
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority)
            select greatest(p.due, clock_timestamp()), p.entry, p.queue, p.kind, p.priority from planned p where p.entry is not null
        )
        select v.entry from given v
        where v.is_over or v.action = {{End}} and v.entry not in (select e.entry from ended e)
            or v.action = {{Resume}} and v.entry not in (select r.entry_id from resumed r)
        """;
}
