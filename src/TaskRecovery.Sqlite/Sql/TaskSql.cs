namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>tasks</c>.</summary>
internal static class TaskSql
{
    /// <summary>The columns of a task, as they are read.</summary>
    public const string Columns = "id, job_id, entry_id, state, due_at, attempt, crashes, result, error, reason, node, created_at, started_at, ended_at";

    /// <summary>The task of an entry. ?1 entry.</summary>
    public const string FindIdByEntry = "select id from taskrecovery_tasks where entry_id = ?1";

    /// <summary>Ends the task of an entry. ?1 entry, ?2 state, ?3 attempt, ?4 crashes, ?5 result, ?6 error, ?7 reason, ?8 now.</summary>
    public const string EndByEntry = """
        update taskrecovery_tasks set state = ?2, attempt = ?3, crashes = ?4, result = ?5, error = ?6, reason = ?7, ended_at = ?8
        where entry_id = ?1 and state < 2
        """;

    /// <summary>The single run of a job is over when its task is. ?1 entry, ?2 now.</summary>
    public const string EndJobByEntry = """
        update taskrecovery_jobs set state = 2, updated_at = ?2
        where id = (select job_id from taskrecovery_tasks where entry_id = ?1) and state = 0 and once_at is not null and planned_entry is null
        """;

    /// <summary>The task of an entry waits for its next run. ?1 entry, ?2 attempt, ?3 crashes, ?4 error.</summary>
    public const string ReturnByEntry = """
        update taskrecovery_tasks set state = 0, attempt = ?2, crashes = ?3, error = coalesce(?4, error)
        where entry_id = ?1 and state < 2
        """;

    /// <summary>The task of an entry that an operator retries starts afresh. ?1 entry.</summary>
    public const string ReopenByEntry = """
        update taskrecovery_tasks set state = 0, attempt = 0, crashes = 0, result = null, reason = null, ended_at = null
        where entry_id = ?1 and state > 1
        """;
}
