namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>jobs</c>.</summary>
internal static class JobSql
{
    private const string Columns = """
        select id, name, kind, entry_kind, args, state, every, once_at, start_at, overlap, missed_runs, queue, priority, max_attempts, timeout,
            next_run_at, planned_entry, created_at, updated_at, declared_by
        from taskrecovery_jobs
        """;

    /// <summary>One job. ?1 id.</summary>
    public const string Find = $"{Columns} where id = ?1";

    /// <summary>One job. ?1 name.</summary>
    public const string FindByName = $"{Columns} where name = ?1";

    /// <summary>All jobs, ordered by name.</summary>
    public const string List = $"{Columns} order by name";

    /// <summary>The names of an application's declared jobs that have not ended. ?1 application.</summary>
    public const string ListDeclared = "select name from taskrecovery_jobs where declared_by = ?1 and state <> 2 order by name";

    /// <summary>The ids of active jobs without a planned run: none was ever planned, its entry has ended without starting a task, or its
    /// entry was removed.</summary>
    public const string Unplanned = """
        select id from taskrecovery_jobs
        where state = 0 and (planned_entry is null
            or exists (select 1 from taskrecovery_outcomes o where o.entry = planned_entry and o.final = 1)
            or not exists (select 1 from taskrecovery_entries e where e.id = planned_entry))
        """;

    /// <summary>Returns a row if a planned entry has ended or was removed. ?1 entry.</summary>
    public const string IsOver = """
        select 1 where exists (select 1 from taskrecovery_outcomes o where o.entry = ?1 and o.final = 1)
            or not exists (select 1 from taskrecovery_entries e where e.id = ?1)
        """;

    /// <summary>Inserts or updates a job. ?1 id, ?2 name, ?3 kind, ?4 entry kind, ?5 args, ?6 every, ?7 once at, ?8 start at, ?9 overlap,
    /// ?10 missed runs, ?11 queue, ?12 priority, ?13 max attempts, ?14 timeout, ?15 now, ?16 the application that declares it.</summary>
    public const string Save = """
        insert into taskrecovery_jobs (
            id, name, kind, entry_kind, args, every, once_at, start_at, overlap, missed_runs, queue, priority, max_attempts, timeout, created_at, updated_at, declared_by)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15, ?16)
        on conflict (id) do update set kind = ?3, entry_kind = ?4, args = ?5, every = ?6, once_at = ?7, start_at = ?8, overlap = ?9, missed_runs = ?10,
            queue = ?11, priority = ?12, max_attempts = ?13, timeout = ?14, updated_at = ?15, declared_by = ?16
        """;

    /// <summary>Changes the plan. ?1 id, ?2 state, ?3 next run's due time, ?4 its entry.</summary>
    public const string SetPlan = "update taskrecovery_jobs set state = ?2, next_run_at = ?3, planned_entry = ?4 where id = ?1";

    /// <summary>Removes a job. ?1 id.</summary>
    public const string Delete = "delete from taskrecovery_jobs where id = ?1";
}
