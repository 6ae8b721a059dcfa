using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>tasks</c>.</summary>
internal static class TaskSql
{
    /// <summary>The columns of a task.</summary>
    internal const string Columns =
        "t.id, t.job_id, t.entry_id, t.state, t.due_at, t.attempt, t.crashes, t.result, t.error, t.reason, t.node, t.created_at, "
        + "t.started_at, t.ended_at, t.catch_up";

    /// <summary>The columns of a list. It contains no results, because a page of them could have any size.</summary>
    internal const string Listed =
        "t.id, t.job_id, t.entry_id, t.state, t.due_at, t.attempt, t.crashes, null::text, t.error, t.reason, t.node, t.created_at, "
        + "t.started_at, t.ended_at, t.catch_up";

    /// <summary>Unfinished tasks; <c>u.job_id</c> selects those of a job.</summary>
    /// <remarks>Compares the state too: a caller's transaction whose snapshot is older than the table can't see the row that it should
    /// delete. Compares the job too, because the row of the old job stays if somebody moves a task to another one; the form of this
    /// condition fits no index, so that tasks are found by their ids. The range and the order allow only the index that begins with the
    /// id: one that ends with it costs the same if the planner takes the table for an empty one.</remarks>
    internal const string FromUnfinished = $$"""
        from {schema}.unfinished_tasks u cross join lateral (
            select * from {schema}.tasks t
            where t.id >= u.task and t.id <= u.task and (t.job_id = u.job_id) is true and {{Codes.TaskUnfinished}}
            order by t.id limit 1) t
        """;

    /// <summary>$1 id.</summary>
    internal const string Find = $"select {Columns} from {{schema}}.tasks t where t.id = $1";

    /// <summary>One task, if its job is in a scope. $1 id, $2 the queues of the scope, or null, $3 its kinds of entries, or null.</summary>
    internal const string FindInScope = $$"""
        {{Find}} and (select j.id from {schema}.jobs j where j.id = t.job_id
            and ($2::text[] is null or j.queue = any ($2)) and ($3::text[] is null or j.entry_kind = any ($3))) is not null
        """;

    /// <summary>Tasks, newest first. $1 job, or null; $2 state, or null; $3 how many at most.</summary>
    internal const string List = $$"""
        select {{Listed}} from {schema}.tasks t
        where ($1::uuid is null or t.job_id = $1) and ($2::smallint is null or t.state = $2)
        order by t.created_at desc, t.id desc limit $3
        """;

    /// <summary>As <see cref="List"/>, for unfinished states, which are in a table of their own. $1 job; $2 state; $3 how many at
    /// most.</summary>
    internal const string ListUnfinished = $$"""
        select {{Listed}} {{FromUnfinished}}
        where u.job_id = $1 and t.state = $2
        order by t.created_at desc, t.id desc limit $3
        """;

    /// <summary>Unfinished tasks, oldest first. $1 job.</summary>
    internal const string ListIncomplete = $$"""
        select {{Listed}} {{FromUnfinished}} where u.job_id = $1 order by t.created_at, t.id
        """;

    /// <summary>Whether there is an unfinished task without an entry, which <see cref="Recover"/> would handle.</summary>
    internal const string AnyWithoutEntry = $$"""
        select exists (select {{FromUnfinished}}
            where (select e.id from {schema}.entries e where e.id = t.entry_id) is null)
        """;

    /// <summary>Adds a recovery entry for unfinished tasks without an entry, or closes them. $1 the maximum age of a task since its
    /// creation, in microseconds, $2 max crashes, $3 how many at most. Returns task, its entry, entry kind, node, crashes, reason (null if
    /// it runs again), queue.</summary>
    /// <remarks>
    /// The task's row is locked, and its entry is replaced only if it is still the one that was found missing: a simultaneous second sweep
    /// finds it changed, or skips it.
    /// The new entry continues the crash count and the spent attempts; steps and the checkpoint belong to the task. Recovered tasks precede
    /// ordinary entries. For <c>= any (array[...])</c> see <see cref="OutcomeSql.FollowFinal"/>.
    /// </remarks>
    internal static readonly string Recover = $$"""
        with found as materialized (
            select t.id, t.entry_id {{FromUnfinished}}
            where (select e.id from {schema}.entries e where e.id = t.entry_id) is null
            limit $3
        ), held as materialized (
            select t.id, t.entry_id, t.state, t.attempt, t.crashes, t.node, j.id as job, j.entry_kind, j.queue, j.priority, j.max_attempts,
                j.timeout,
                case
                    when j.id is null then {{Codes.JobDeleted}}
                    when t.created_at < clock_timestamp() - $1 * interval '1 microsecond' then {{Codes.TooOld}}
                    when j.state = {{Codes.JobPaused}} then {{Codes.JobNotActive}}
                    when t.crashes > $2 then {{Codes.CrashLoop}} end as reason
            from {schema}.tasks t
            join found f on t.id = any (array[f.id])
            left join lateral (select * from {schema}.jobs j where j.id = t.job_id offset 0) j on true
            where {{Codes.TaskUnfinished}} and t.entry_id is not distinct from f.entry_id
            for update of t skip locked
        ), closed as (
            update {schema}.tasks t set state = case h.reason when {{Codes.CrashLoop}} then {{Codes.TaskFailed}}
                else {{Codes.TaskCancelled}} end, reason = h.reason, ended_at = clock_timestamp()
            from held h where t.id = any (array[h.id]) and h.reason is not null
        ), numbered as materialized (
            select h.*, q.id as queue_id, k.id as kind_id, nextval('{schema:literal}.entries_id_seq') as entry,
                case when h.state = {{Codes.TaskRunning}} then greatest(h.attempt - 1, 0) else h.attempt end as spent
            from held h
            join {schema}.queues q on q.name = h.queue
            join {schema}.kinds k on k.name = h.entry_kind
            where h.reason is null
        ), added as (
            insert into {schema}.entries (id, queue, kind, priority, max_attempts, args, timeout) overriding system value
            select n.entry, n.queue_id, n.kind_id, n.priority, n.max_attempts, json_build_object('jobId', n.job, 'taskId', n.id)::text,
                n.timeout from numbered n
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority, attempt, crashes)
            select clock_timestamp(), n.entry, n.queue_id, n.kind_id,
                case when n.crashes = 0 and $2 = 1 then n.priority
                    else least(greatest(-n.crashes, {{CrashLevels.Lowest}}), -1) end, n.spent, n.crashes
            from numbered n
        ), bound as (
            update {schema}.tasks t set entry_id = n.entry, state = {{Codes.TaskCreated}}, attempt = n.spent from numbered n
                where t.id = any (array[n.id])
        )
        select h.id, null::bigint, h.entry_kind, h.node, h.crashes, h.reason, h.queue from held h where h.reason is not null
        union all
        select n.id, n.entry, n.entry_kind, n.node, n.crashes, null, n.queue from numbered n
        """;

    /// <summary>Closes unfinished tasks whose entry has ended, with the outcome of the entry, except those that another transaction has
    /// locked. $1 how many at most. Returns task, entry, entry kind, node, crashes, reason.</summary>
    internal static readonly string CloseEnded = $$"""
        with found as materialized (
            select t.id as task, k.name as kind_name, o.* {{FromUnfinished}}
            cross join lateral (select * from {schema}.outcomes o where o.entry = t.entry_id and o.final offset 0) o
            left join lateral (select * from {schema}.entries e where e.id = o.entry offset 0) e on true
            left join {schema}.kinds k on k.id = e.kind
            limit $1
        ), held as materialized (
            select t.id from {schema}.tasks t where t.id = any (array(select f.task from found f)) for no key update skip locked
        )
        update {schema}.tasks t set state = {{Codes.TaskStateOf("f.kind")}}, result = f.result, error = coalesce(f.error, t.error),
            reason = f.reason,
            attempt = f.attempt, crashes = f.crashes, ended_at = f.ended_at
        from found f
        where t.id = any (array[f.task]) and f.task in (select h.id from held h) and (t.entry_id = f.entry) is true
            and {{Codes.TaskUnfinished}}
        returning t.id, t.entry_id, f.kind_name, t.node, t.crashes, t.reason
        """;
}
