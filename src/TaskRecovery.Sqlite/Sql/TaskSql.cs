using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>tasks</c>.</summary>
internal static class TaskSql
{
    /// <summary>Whether this library stored a task. Another one can't be shown, started or recovered.</summary>
    internal const string HasId = "typeof(t.id) = 'blob' and length(t.id) = 16 and typeof(t.job_id) = 'blob' and length(t.job_id) = 16";

    private const string Columns = """
        select t.id, t.job_id, t.entry_id, t.state, t.due_at, t.attempt, t.crashes, t.result, t.error, t.reason, t.node, t.created_at,
            t.started_at, t.ended_at, t.catch_up
        from taskrecovery_tasks t
        """;

    /// <summary>As <see cref="Codes.TaskUnfinished"/>, where the table has no other name.</summary>
    private const string Unfinished = $"state < {Codes.TaskCompleted}";

    // A task that this library did not store is never ended, so that a job which waited for it would never run again.
    private const string KeepsJob = $"{Unfinished} and typeof(id) = 'blob' and length(id) = 16";

    private const string Created = $"state = {Codes.TaskCreated}";

    /// <summary>The columns of a list. It omits results: they have no size limit, so a page could have any size.</summary>
    public const string Listed = """
        select t.id, t.job_id, t.entry_id, t.state, t.due_at, t.attempt, t.crashes, null, t.error, t.reason, t.node, t.created_at,
            t.started_at, t.ended_at, t.catch_up
        from taskrecovery_tasks t
        """;

    /// <summary>One task. ?1 id.</summary>
    public const string Find = $"{Columns} where t.id = ?1 and {HasId}";

    /// <summary>One task, if its job is in a scope. ?1 id, ?2 the queues of the scope as a JSON array, or null, ?3 its kinds of entries,
    /// likewise.</summary>
    public const string FindInScope = $"""
        {Find} and exists (select 1 from taskrecovery_jobs j where j.id = t.job_id
            and (?2 is null or j.queue in (select value from json_each(?2)))
            and (?3 is null or j.entry_kind in (select value from json_each(?3))))
        """;

    /// <summary>The task bound to an entry. ?1 entry.</summary>
    public const string FindByEntry = $"{Columns} where t.entry_id = ?1 and {HasId}";

    /// <summary>Tasks, newest first. ?1 job, ?2 state, ?3 limit.</summary>
    public const string List = $"{Listed} where (?1 is null or t.job_id = ?1) and (?2 is null or t.state = ?2) and {HasId} "
        + "order by t.created_at desc, t.id desc limit ?3";

    /// <summary>A job's unfinished tasks, oldest first. ?1 job.</summary>
    public const string ListIncomplete =
        $"{Listed} where t.job_id = ?1 and {Codes.TaskUnfinished} and {HasId} order by t.created_at, t.id";

    /// <summary>Unfinished tasks without an entry.</summary>
    public const string Orphans = $"""
        {Columns} where {Codes.TaskUnfinished} and {HasNoEntry} and {HasId}
        order by t.id limit 500
        """;

    private const string HasNoEntry =
        "(t.entry_id is null or not exists (select 1 from taskrecovery_entries e where e.id = t.entry_id))";

    /// <summary>Unfinished tasks whose entry has ended.</summary>
    public const string WithEndedEntry = $"""
        select t.id, t.entry_id, k.name, t.node, o.kind, o.attempt, o.crashes, o.result, o.error, o.reason
        from taskrecovery_tasks t
        join taskrecovery_outcomes o on o.entry = t.entry_id and o.final = 1
        join taskrecovery_entries e on e.id = t.entry_id
        join taskrecovery_kinds k on k.id = e.kind
        where {Codes.TaskUnfinished} and {HasId} order by t.id limit 500
        """;

    /// <summary>The task of an entry. ?1 entry.</summary>
    public const string FindIdByEntry = $"select t.id from taskrecovery_tasks t where t.entry_id = ?1 and {HasId}";

    /// <summary>Returns a row if a job has an unfinished task. ?1 job.</summary>
    public const string AnyUnfinished = $"select 1 from taskrecovery_tasks where job_id = ?1 and {KeepsJob} limit 1";

    /// <summary>Returns a row if an unfinished task of a job was created at or after a time. ?1 job, ?2 time.</summary>
    public const string AnyUnfinishedSince =
        $"select 1 from taskrecovery_tasks where job_id = ?1 and {KeepsJob} and created_at >= ?2 limit 1";

    /// <summary>Returns a row if a task exists for a job's due time. ?1 job, ?2 due.</summary>
    public const string ExistsForDue = "select 1 from taskrecovery_tasks where job_id = ?1 and due_at = ?2";

    /// <summary>The latest due time of a job before another one that has a task. ?1 job, ?2 due.</summary>
    public const string LatestDueBefore =
        "select due_at from taskrecovery_tasks where job_id = ?1 and due_at < ?2 order by due_at desc limit 1";

    /// <summary>Since when a task of a job has been running or, if none has started, waiting. A task that an operator retries may
    /// have been created long ago. ?1 job.</summary>
    public const string UnfinishedSince =
        $"select coalesce(min(started_at), min(created_at)) from taskrecovery_tasks where job_id = ?1 and {KeepsJob}";

    /// <summary>Returns a row if a task of a job waits for its first start. ?1 job.</summary>
    public const string AnyQueued = $"select 1 from taskrecovery_tasks where job_id = ?1 and {KeepsJob} and started_at is null limit 1";

    /// <summary>Returns a row if a task that has not started has to wait for another one. ?1 job, ?2 created at, ?3 id of the
    /// task.</summary>
    public const string AnyEarlier = $"""
        select 1 from taskrecovery_tasks
        where job_id = ?1 and {KeepsJob} and id <> ?3 and (started_at is not null or (created_at, id) < (?2, ?3)) limit 1
        """;

    /// <summary>Creates a task. ?1 id, ?2 job, ?3 entry, ?4 due, ?5 attempt, ?6 node, ?7 now, ?8 state, ?9 started at, ?10 whether it makes
    /// up for a missed run.</summary>
    public const string Insert = """
        insert into taskrecovery_tasks (id, job_id, entry_id, state, due_at, attempt, node, created_at, started_at, catch_up)
        values (?1, ?2, ?3, ?8, ?4, ?5, ?6, ?7, ?9, ?10)
        """;

    /// <summary>Marks a task as running again. ?1 id, ?2 attempt, ?3 node, ?4 now.</summary>
    public const string Resume =
        $"update taskrecovery_tasks set state = {Codes.TaskRunning}, attempt = ?2, node = ?3, started_at = ?4 where id = ?1";

    /// <summary>Binds a task to another entry. ?1 id, ?2 entry, ?3 attempt.</summary>
    public const string Rebind = $"update taskrecovery_tasks set entry_id = ?2, {Created}, attempt = ?3 where id = ?1";

    /// <summary>Ends a task. ?1 id, ?2 state, ?3 attempt, ?4 crashes, ?5 result, ?6 error, ?7 reason, ?8 now.</summary>
    public const string End = $"""
        update taskrecovery_tasks set state = ?2, attempt = ?3, crashes = ?4, result = ?5, error = coalesce(?6, error), reason = ?7,
            ended_at = ?8
        where id = ?1 and {Unfinished}
        """;

    /// <summary>Ends the task of an entry. ?1 entry, ?2 state, ?3 attempt, ?4 crashes, ?5 result, ?6 error, ?7 reason, ?8 now.</summary>
    public const string EndByEntry = $"""
        update taskrecovery_tasks set state = ?2, attempt = ?3, crashes = ?4, result = ?5, error = ?6, reason = ?7, ended_at = ?8
        where entry_id = ?1 and {Unfinished}
        """;

    /// <summary>Marks the task of an entry as waiting for its next run. ?1 entry, ?2 attempt, ?3 crashes, ?4 error.</summary>
    public const string ReturnByEntry = $"""
        update taskrecovery_tasks set {Created}, attempt = ?2, crashes = ?3, error = coalesce(?4, error)
        where entry_id = ?1 and {Unfinished}
        """;

    /// <summary>Resets the task of an entry that an operator retries. ?1 entry.</summary>
    public const string ReopenByEntry = $"""
        update taskrecovery_tasks set {Created}, attempt = 0, crashes = 0, result = null, reason = null, started_at = null,
            ended_at = null
        where entry_id = ?1 and state > {Codes.TaskRunning}
        """;
}
