using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Statements of the read model: snapshot, kinds, nodes, and the life of one entry.</summary>
internal static class MonitorSql
{
    /// <summary>The queues, and who paused them.</summary>
    public const string Queues =
        "select id, name, paused, paused_at, paused_by, paused_reason, paused_until_at from taskrecovery_queues order by name";

    /// <summary>The kinds, and who paused them.</summary>
    public const string Kinds =
        "select id, name, paused, paused_at, paused_by, paused_reason, paused_until_at from taskrecovery_kinds order by name";

    /// <summary>The number of entries of a queue, kind and level that are not due, up to a limit. ?1 queue, ?2 kind, ?3 level, ?4 now, ?5
    /// limit.</summary>
    public const string CountLater = """
        select count(*) from (
            select 1 from taskrecovery_waiting where queue = ?1 and kind = ?2 and priority = ?3 and run_at > ?4 limit ?5)
        """;

    /// <summary>The running entries by queue, from the newest claims. ?1 how many claimed entries to examine. The last row has no queue,
    /// and how many there are, at most one more.</summary>
    public const string Running = """
        with held as materialized (
            select c.id as fence, r.value as entry from taskrecovery_claims c cross join json_each(c.entries) r
            order by c.id desc limit ?1 + 1)
        select e.queue, count(*) from held r cross join taskrecovery_entries e on e.id = r.entry
        where not exists (select 1 from taskrecovery_outcomes o where o.entry = r.entry and o.fence = r.fence)
        group by e.queue
        union all
        select null, count(*) from held
        """;

    /// <summary>The failed and the cancelled entries, each up to a limit. ?1 limit.</summary>
    public const string Ended = $"""
        select (select count(*) from (select 1 from taskrecovery_outcomes
                where final = 1 and kind > {Codes.OutcomeCompleted} and kind = {Codes.OutcomeFailed} limit ?1)),
            (select count(*) from (select 1 from taskrecovery_outcomes
                where final = 1 and kind > {Codes.OutcomeCompleted}
                    and kind in ({Codes.OutcomeCancelled}, {Codes.OutcomeSuperseded}) limit ?1))
        """;

    /// <summary>The ids of the first and the last entry. As two selects, because one would scan the table.</summary>
    public const string Stored = "select (select min(id) from taskrecovery_entries), (select max(id) from taskrecovery_entries)";

    /// <summary>What the nodes serve that are not dead, their ids, and when they stored a heartbeat. Some may be silent.</summary>
    public const string LivingNodes = $"select info, id, beat_at from taskrecovery_nodes n where n.dead_at is null and {NodeSql.HasId}";

    /// <summary>The nodes, living ones first, at most 1,000.</summary>
    public const string Nodes = $"""
        select n.number, n.id, n.name, n.named, n.machine, n.process_id, n.started_at, n.beat_at, n.holds_lock, n.dead_at, n.stopped,
            n.declared_by, n.proof, n.info,
            n.heartbeats_in_database, (select count(*) from taskrecovery_claims c where c.node = n.number),
            (select count(*) from taskrecovery_claims c, json_each(c.entries) r where c.node = n.number
                and not exists (select 1 from taskrecovery_outcomes o where o.entry = r.value and o.fence = c.id)), n.vitals
        from taskrecovery_nodes n
        where {NodeSql.HasId}
        order by n.dead_at is not null, n.dead_at desc, n.number desc limit 1000
        """;

    /// <summary>The runs of an entry that have ended, newest first. ?1 id, ?2 how many at most.</summary>
    public const string Runs = $"""
        select o.fence, o.kind, o.ended_at, o.duration, n.name, n.named, n.id, o.attempt, o.crashes, o.final, o.reason, o.error, o.black_box
        from taskrecovery_outcomes o left join taskrecovery_nodes n on n.number = o.node and {NodeSql.HasId}
        where o.entry = ?1 order by o.fence desc limit ?2
        """;

    /// <summary>How many runs of an entry have ended. ?1 id.</summary>
    public const string CountRuns = "select count(*) from taskrecovery_outcomes where entry = ?1";

    /// <summary>What else is known of an entry. ?1 id.</summary>
    public const string Extras = $"""
        select exists (select 1 from taskrecovery_unique_keys u where u.entry = e.id), a.requested_at, e.trace_parent, t.id, j.name
        from taskrecovery_entries e
        left join taskrecovery_cancellations a on a.entry = e.id
        left join taskrecovery_tasks t on t.entry_id = e.id and {TaskSql.HasId}
        left join taskrecovery_jobs j on j.id = t.job_id
        where e.id = ?1
        """;

    /// <summary>The number of entries in a claim. ?1 fence.</summary>
    public const string ClaimSize = "select json_array_length(entries) from taskrecovery_claims where id = ?1";

    /// <summary>The finished steps of an entry or its task, oldest first. ?1 entry, ?2 task, or null.</summary>
    public const string Steps = """
        select name, stored_at, fence, octet_length(result) from taskrecovery_steps where task is null and entry = ?1
        union all
        select name, stored_at, fence, octet_length(result) from taskrecovery_steps where task = ?2
        order by 2, 1 limit 10000
        """;

    /// <summary>When the checkpoint of an entry or its task was stored, under which fence, and its size. ?1 entry, ?2 task, or
    /// null.</summary>
    public const string Checkpoint = """
        select stored_at, fence, octet_length(data) from taskrecovery_checkpoints where task is null and entry = ?1
        union all
        select stored_at, fence, octet_length(data) from taskrecovery_checkpoints where task = ?2
        """;

    /// <summary>The checkpoint of an entry or its task itself, which may be large. ?1 entry, ?2 task, or null.</summary>
    public const string CheckpointData = """
        select data from taskrecovery_checkpoints where task is null and entry = ?1
        union all
        select data from taskrecovery_checkpoints where task = ?2
        """;

    /// <summary>The result of a step. ?1 entry, ?2 task, or null, ?3 name.</summary>
    public const string StepResult = """
        select result from taskrecovery_steps where task is null and entry = ?1 and name = ?3
        union all
        select result from taskrecovery_steps where task = ?2 and name = ?3
        """;

    /// <summary>All tasks, newest first. ?1 only ids below this one, ?2 how many to examine.</summary>
    public const string Tasks = $"{TaskSql.Listed} where t.id < ?1 and {TaskSql.HasId} order by t.id desc limit ?2";

    /// <summary>The tasks of a job, newest first. ?1 only ids below this one, ?2 how many to examine, ?3 job.</summary>
    public const string TasksOfJob =
        $"{TaskSql.Listed} where t.job_id = ?3 and t.id < ?1 and {TaskSql.HasId} order by t.id desc limit ?2";

    /// <summary>The last tasks of a job, without results and errors. ?1 job, ?2 how many at most.</summary>
    public const string LastTasksOfJob = $"""
        select t.id, t.job_id, t.entry_id, t.state, t.due_at, t.attempt, t.crashes, null, null, t.reason, t.node, t.created_at,
            t.started_at, t.ended_at, t.catch_up
        from taskrecovery_tasks t where t.job_id = ?1 and {TaskSql.HasId} order by t.id desc limit ?2
        """;
}
