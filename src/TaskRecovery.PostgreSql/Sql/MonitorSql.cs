using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements of the read model: snapshot, kinds, nodes, and the life of one entry.</summary>
internal static class MonitorSql
{
    // On a standby, the age of a heartbeat is that at the time up to which the standby has replayed: by its clock, a standby that is behind
    // would show every node as silent. If it has replayed all that it receives, and the last commit was more than a minute ago, it is not
    // behind, but no node commits heartbeats; then its clock counts.
    private const string HeartbeatClock = """
        clock as materialized (
            select case
                when r.at is null then c.now
                when c.now - r.at < interval '1 minute' then r.at
                when exists (select from pg_stat_wal_receiver) and pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() then c.now
                else r.at end as now
            from (select clock_timestamp() as now) c
            cross join (select case when pg_is_in_recovery() then pg_last_xact_replay_timestamp() end as at) r
        )
        """;

    /// <summary>Makes a transaction read-only, bounds each statement, and plans each one for its values. $1 the bound in
    /// milliseconds.</summary>
    internal const string Begin = """
        select set_config('transaction_read_only', 'on', true), set_config('statement_timeout', $1::text, true),
            set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),
                set_config('enable_seqscan', 'off', true)
        """;

    /// <summary>The time, about how many entries are stored, and the waiting entries by queue: due, later, and the age of the oldest due
    /// one. $1 where counting stops.</summary>
    /// <remarks>As <see cref="OperatorSql.Measure"/>, reads only lanes (queue and level) that contain rows.</remarks>
    internal const string Queues = """
        with recursive clock as materialized (
            select clock_timestamp() as now
        ), lane as (
            (select w.queue, w.priority from {schema}.waiting w order by w.queue, w.priority limit 1)
            union all
            select n.queue, n.priority from lane l cross join lateral (
                select w.queue, w.priority from {schema}.waiting w
                    where (w.queue, w.priority) > (l.queue, l.priority) order by w.queue, w.priority limit 1) n
        ), lined as materialized (
            select l.queue, sum(d.due)::bigint as due, sum(t.later)::bigint as later, min(f.run_at) as first
            from lane l cross join lateral (
                select count(*) as due from (
                    select from {schema}.waiting w where w.queue = l.queue and w.priority = l.priority
                        and w.run_at <= (select now from clock) limit $1::bigint) w) d
            cross join lateral (
                select count(*) as later from (
                    select from {schema}.waiting w where w.queue = l.queue and w.priority = l.priority
                        and w.run_at > (select now from clock) limit $1::bigint) w) t
            left join lateral (
                select w.run_at from {schema}.waiting w
                where w.queue = l.queue and w.priority = l.priority and w.run_at <= (select now from clock)
                    order by w.run_at limit 1) f on true
            group by l.queue
        )
        select q.id, q.name, q.paused, q.paused_at, q.paused_by, q.paused_reason, q.paused_until, coalesce(l.due, 0), coalesce(l.later, 0),
            case when l.first is not null
                then (extract(epoch from c.now - greatest(l.first, timestamptz '1970-01-01 00:00Z')) * 1000000)::bigint end
        from {schema}.queues q cross join clock c left join lined l on l.queue = q.id order by q.name
        """;

    /// <summary>The running entries by queue, from the newest claims. $1 how many claimed entries to read. The last row has no queue,
    /// and how many there are, at most one more.</summary>
    internal const string Running = """
        with held as materialized (
            select c.id as fence, u.entry from {schema}.claims c cross join lateral unnest(c.entries) u (entry)
            order by c.id desc limit $1::bigint + 1
        )
        select e.queue, count(*) from held r
        cross join lateral (select e.queue from {schema}.entries e where e.id = r.entry offset 0) e
        where (select o.entry from {schema}.outcomes o where o.entry = r.entry and o.fence = r.fence) is null
        group by e.queue
        union all
        select null, count(*) from held
        """;

    /// <summary>The time, the failed and the cancelled entries, and about how many entries are stored. $1 where counting stops.</summary>
    internal const string Ended = $$"""
        select clock_timestamp(), count(*) filter (where o.kind = {{Codes.OutcomeFailed}}),
            count(*) filter (where o.kind <> {{Codes.OutcomeFailed}}), count(*) > $1::bigint,
            coalesce((select max(e.id) from {schema}.entries e) - (select min(e.id) from {schema}.entries e) + 1, 0)
        from (
            select o.kind from {schema}.outcomes o where o.final and o.kind <> {{Codes.OutcomeCompleted}}
                order by o.entry desc limit $1::bigint + 1) o
        """;

    /// <summary>What the nodes serve that are not dead, and the age of their last heartbeat in microseconds. Some may be silent.</summary>
    internal const string LivingNodes = $$"""
        with {{HeartbeatClock}}
        select n.info, (extract(epoch from (select now from clock) - coalesce(b.beat_at, n.beat_at)) * 1000000)::bigint
        from {schema}.nodes n
        {{NodeSql.LastHeartbeat}}
        where n.dead_at is null
        """;

    /// <summary>The kinds with their waiting entries. $1 where counting stops. The last column is whether it stopped.</summary>
    internal const string Kinds = """
        with sampled as materialized (
            select w.kind, w.run_at from {schema}.waiting w limit $1::bigint + 1
        ), lined as materialized (
            select s.kind, count(*) as waiting, min(s.run_at) filter (where s.run_at <= clock_timestamp()) as first from sampled s
                group by s.kind
        )
        select k.name, k.paused, k.paused_at, k.paused_by, k.paused_reason, k.paused_until, coalesce(l.waiting, 0),
            case when l.first is not null
                then (extract(epoch from clock_timestamp() - greatest(l.first, timestamptz '1970-01-01 00:00Z')) * 1000000)::bigint end,
            (select count(*) from sampled) > $1
        from {schema}.kinds k left join lined l on l.kind = k.id order by k.name
        """;

    /// <summary>The nodes, living ones first, at most 1,000.</summary>
    internal const string Nodes = $$"""
        with {{HeartbeatClock}}
        select n.id, {{NodeSql.Label}}, n.machine, n.process_id, n.started_at,
            (extract(epoch from (select now from clock) - coalesce(b.beat_at, n.beat_at)) * 1000000)::bigint,
            coalesce(b.holds_lock, n.holds_lock), n.dead_at, n.stopped, n.declared_by, n.proof, n.info, h.claims, h.entries,
            coalesce(b.vitals, n.vitals)
        from {schema}.nodes n
        {{NodeSql.LastHeartbeatIfAlive}}
        cross join lateral (
            select count(*) as claims, coalesce(sum((
                select count(*) from unnest(c.entries) u (entry)
                where (select o.entry from {schema}.outcomes o where o.entry = u.entry and o.fence = c.id) is null)), 0)::bigint as entries
            from {schema}.claims c where c.node = n.number) h
        order by n.dead_at is not null, n.dead_at desc, n.number desc limit 1000
        """;

    /// <summary>The runs of an entry that have ended, newest first, and how many there are. $1 id, $2 how many at most.</summary>
    internal const string Runs = $$"""
        select o.fence, o.kind, o.ended_at, o.duration_ms, {{NodeSql.Label}}, o.attempt, o.crashes, o.final, o.reason, o.error, o.black_box,
            (select count(*) from {schema}.outcomes c where c.entry = $1::bigint)
        from {schema}.outcomes o left join {schema}.nodes n on n.number = o.node
        where o.entry = $1::bigint order by o.fence desc limit $2::bigint
        """;

    /// <summary>What else is known of an entry: the claim under which it runs (fence, node, its id, time, size), whether it holds its
    /// unique key, when cancellation was requested, the trace context, its task, the name of the task's job. $1 id.</summary>
    internal const string Extras = $$"""
        select r.id, r.node, r.node_id, r.claimed_at, r.entries, exists (select from {schema}.unique_keys u
            where u.entry = e.id), a.requested_at,
            e.trace_parent, t.id, j.name, clock_timestamp()
        from {schema}.entries e
        left join lateral (
            select c.id, {{NodeSql.Label}} as node, n.id as node_id, c.claimed_at, cardinality(c.entries) as entries
            from {schema}.claims c join {schema}.nodes n on n.number = c.node
            where c.entries && array[e.id] and (select o.entry from {schema}.outcomes o where o.entry = e.id and o.fence = c.id) is null
            order by c.id desc limit 1) r on true
        left join {schema}.cancellations a on a.entry = e.id
        left join {schema}.tasks t on t.entry_id = e.id
        left join {schema}.jobs j on j.id = t.job_id
        where e.id = $1::bigint
        """;

    /// <summary>The finished steps of an entry or its task, oldest first. $1 entry, $2 task, or null.</summary>
    internal const string Steps = """
        select s.name, s.stored_at, s.fence, octet_length(s.result)::bigint from {schema}.steps s
            where s.task is null and s.entry = $1::bigint
        union all
        select s.name, s.stored_at, s.fence, octet_length(s.result)::bigint from {schema}.steps s where s.task = $2::uuid
        order by 2, 1 limit 10000
        """;

    /// <summary>When the checkpoint of an entry or its task was stored, under which fence, and its size. $1 entry, $2 task, or
    /// null.</summary>
    internal const string Checkpoint = """
        select c.stored_at, c.fence, octet_length(c.data)::bigint from {schema}.checkpoints c
            where c.task is null and c.entry = $1::bigint
        union all
        select c.stored_at, c.fence, octet_length(c.data)::bigint from {schema}.checkpoints c where c.task = $2::uuid
        """;

    /// <summary>The checkpoint of an entry or its task itself, which may be large. $1 entry, $2 task, or null.</summary>
    internal const string CheckpointData = """
        select c.data from {schema}.checkpoints c where c.task is null and c.entry = $1::bigint
        union all
        select c.data from {schema}.checkpoints c where c.task = $2::uuid
        """;

    /// <summary>The result of a step. $1 entry, $2 task, or null, $3 name.</summary>
    internal const string StepResult = """
        select s.result from {schema}.steps s where s.task is null and s.entry = $1::bigint and s.name = $3::text
        union all
        select s.result from {schema}.steps s where s.task = $2::uuid and s.name = $3::text
        """;

    /// <summary>The progress that the handler of an entry reported last. $1 entry.</summary>
    internal const string Report =
        "select r.done, r.total, r.message, r.reported_at, r.fence from {schema}.reports r where r.entry = $1::bigint";

    /// <summary>The log lines of an entry's runs, oldest first, in parts. $1 entry.</summary>
    internal const string Log =
        "select l.fence, l.lines from {schema}.run_logs l where l.entry = $1::bigint order by l.fence, l.part limit 1000";

    /// <summary>The task that an entry runs. $1 entry.</summary>
    internal const string TaskOf = "select t.id from {schema}.tasks t where t.entry_id = $1::bigint";

    /// <summary>Reads tasks in the order of an index. Without statistics, the planner would read and sort all tasks of a job.</summary>
    internal const string InIndexOrder = "select set_config('enable_sort', 'off', true)";

    /// <summary>A page of tasks, newest first. $1 job, or null; $2 state, or null; $3 only ids below this one, or null; $4 how many to
    /// examine at most; $5 how many at most.</summary>
    internal const string Tasks = $$"""
        select {{TaskSql.Listed}} from (
            select * from {schema}.tasks t where ($1::uuid is null or t.job_id = $1) and ($3::uuid is null or t.id < $3)
                order by t.id desc limit $4::bigint) t
        where $2::smallint is null or t.state = $2
        order by t.id desc limit $5::bigint
        """;

    /// <summary>The last tasks of jobs, without results and errors. $1 jobs, $2 how many of each job at most.</summary>
    internal const string LastTasks = """
        select t.id, t.job_id, t.entry_id, t.state, t.due_at, t.attempt, t.crashes, null::text, null::text, t.reason, t.node, t.created_at,
            t.started_at, t.ended_at, t.catch_up
        from unnest($1::uuid[]) j (id) cross join lateral (
            select * from {schema}.tasks t where t.job_id = j.id order by t.id desc limit $2::bigint) t
        order by t.job_id, t.id desc
        """;

    /// <summary>The oldest task that such a page examines; nothing if it reaches the first one. $1 job, or null; $2 only ids below this
    /// one, or null; $3 how many to examine at most.</summary>
    internal const string TaskEdge = """
        select t.id from {schema}.tasks t where ($1::uuid is null or t.job_id = $1) and ($2::uuid is null or t.id < $2)
            order by t.id desc offset $3::bigint - 1 limit 1
        """;
}
