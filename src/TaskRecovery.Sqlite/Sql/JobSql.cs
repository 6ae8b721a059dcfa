using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>jobs</c>.</summary>
internal static class JobSql
{
    private const string FirstColumns = "select id, name, kind, entry_kind,";

    private const string OtherColumns = """
        state, every, once_at, start_at, overlap, missed_runs, queue, priority, max_attempts, timeout,
            next_run_at, planned_entry, created_at, updated_at, declared_by, cron, time_zone, end_at, exceptions, catch_up_within,
                catch_up_limit,
            expires_after, paused_at, resume_at, paused_by, paused_reason, declared_as, orphaned_at
        from taskrecovery_jobs
        """;

    private const string Columns = $"{FirstColumns} args, {OtherColumns}";
    private const string WithoutArgs = $"{FirstColumns} '', {OtherColumns}";

    private const string Active = $"state = {Codes.JobActive}";

    /// <summary>One job. ?1 id.</summary>
    public const string Find = $"{Columns} where id = ?1";

    // A job that was not stored by this library can't be shown.
    private const string HasId = "typeof(id) = 'blob' and length(id) = 16";

    /// <summary>One job. ?1 name.</summary>
    public const string FindByName = $"{Columns} where name = ?1 and {HasId}";

    // One condition for the first page and for the others, so that both use the index.
    private const string NameAfter = "name >= coalesce(?1, '') and name is not ?1";
    private const string After = $"{NameAfter} and {HasId}";

    /// <summary>A page of jobs, ordered by name. ?1 only names after this one, or null, ?2 how many at most.</summary>
    public const string List = $"{Columns} where {After} order by name limit ?2";

    /// <summary>As <see cref="List"/>, without arguments.</summary>
    public const string ListWithoutArgs = $"{WithoutArgs} where {After} order by name limit ?2";

    /// <summary>The last name that a <see cref="Search"/> compares if it is not full earlier; nothing if it reaches the last job. ?1 only
    /// names after this one, or null, ?4 how many names to compare at most.</summary>
    public const string Edge = $"select name from taskrecovery_jobs where {NameAfter} order by name limit 1 offset ?4 - 1";

    // The last name that is compared limits the search. Without one, the limit is a blob, which sorts after every text. It must not depend
    // on the row, or else the index is not used for it, and all names are compared.
    private const string Found = $"""
        where {After} and instr(lower(name), lower(?3)) > 0 and name <= coalesce(({Edge}), x'')
        order by name limit ?2
        """;

    /// <summary>A page of jobs whose names contain a text, without arguments. ?1 only names after this one, or null, ?2 how many at most,
    /// ?3 the text, ?4 how many names to compare at most.</summary>
    public const string Search = $"{WithoutArgs} {Found}";

    /// <summary>One job without its arguments. ?1 id.</summary>
    public const string FindWithoutArgs = $"{WithoutArgs} where id = ?1";

    /// <summary>An application's declared jobs that have not ended: name, declared as, whether orphaned. ?1 application.</summary>
    public const string ListDeclared = "select name, declared_as, orphaned_at is not null from taskrecovery_jobs "
        + $"where declared_by = ?1 and state <> {Codes.JobEnded} and {HasId} order by name";

    /// <summary>The ids of active jobs without a planned run: none was ever planned, its entry has ended without starting a task, or its
    /// entry was removed.</summary>
    public const string Unplanned = $"""
        select id from taskrecovery_jobs
        where {Active} and (planned_entry is null
            or exists (select 1 from taskrecovery_outcomes o where o.entry = planned_entry and o.final = 1)
            or not exists (select 1 from taskrecovery_entries e where e.id = planned_entry))
        """;

    /// <summary>Returns a row if a planned entry has ended or was removed. ?1 entry.</summary>
    public const string IsOver = """
        select 1 where exists (select 1 from taskrecovery_outcomes o where o.entry = ?1 and o.final = 1)
            or not exists (select 1 from taskrecovery_entries e where e.id = ?1)
        """;

    /// <summary>Inserts a job with its plan. ?1 id, ?2 name, ?3 kind, ?4 entry kind, ?5 args, ?6 every, ?7 once at, ?8 start at, ?9
    /// overlap, ?10 missed runs, ?11 queue, ?12 priority, ?13 max attempts, ?14 timeout, ?15 now, ?16 the application that declares it, ?17
    /// cron, ?18 time zone, ?19 end at, ?20 exceptions, ?21 catch up within, ?22 catch-up limit, ?23 expires after, ?24 declared as, ?25
    /// orphaned at, ?26 state, ?27 next run's due time, ?28 its entry.</summary>
    public const string Insert = """
        insert into taskrecovery_jobs (
            id, name, kind, entry_kind, args, every, once_at, start_at, overlap, missed_runs, queue, priority, max_attempts, timeout,
                created_at, updated_at, declared_by,
            cron, time_zone, end_at, exceptions, catch_up_within, catch_up_limit, expires_after, declared_as, orphaned_at,
            state, next_run_at, planned_entry)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25,
            ?26, ?27, ?28)
        """;

    /// <summary>Changes a job. ?1 to ?25 as in <see cref="Insert"/>.</summary>
    public const string Update = """
        update taskrecovery_jobs set kind = ?3, entry_kind = ?4, args = ?5, every = ?6, once_at = ?7, start_at = ?8, overlap = ?9,
            missed_runs = ?10,
            queue = ?11, priority = ?12, max_attempts = ?13, timeout = ?14, updated_at = ?15, declared_by = ?16, cron = ?17,
                time_zone = ?18, end_at = ?19,
            exceptions = ?20, catch_up_within = ?21, catch_up_limit = ?22, expires_after = ?23, declared_as = ?24,
            orphaned_at = ?25
        where id = ?1 and name = ?2
        """;

    /// <summary>Changes the plan. ?1 id, ?2 state, ?3 next run's due time, ?4 its entry.</summary>
    public const string SetPlan = "update taskrecovery_jobs set state = ?2, next_run_at = ?3, planned_entry = ?4 where id = ?1";

    /// <summary>Stores the plan of an active job that had none. ?1 id, ?2 state, ?3 next run's due time, ?4 its entry; does nothing unless
    /// the job still has ?5 as its planned entry and was last changed at ?6.</summary>
    public const string SetMissingPlan = $"""
        update taskrecovery_jobs set state = ?2, next_run_at = ?3, planned_entry = ?4
        where id = ?1 and {Active} and planned_entry is ?5 and updated_at = ?6
        """;

    /// <summary>Stores which application declares a job, as what, and that it is no orphan. ?1 id, ?2 application, ?3 declared
    /// as.</summary>
    public const string SetDeclared = "update taskrecovery_jobs set declared_by = ?2, declared_as = ?3, orphaned_at = null where id = ?1";

    /// <summary>Stores that an application no longer declares a job, unless another one declares it by now. ?1 name, ?2 now, ?3
    /// application.</summary>
    public const string SetOrphaned =
        "update taskrecovery_jobs set orphaned_at = ?2 where name = ?1 and declared_by = ?3 and orphaned_at is null";

    /// <summary>Stores why a job is paused, or when it was; all null if neither. ?1 id, ?2 paused at, ?3 resume at, ?4 by, ?5
    /// reason.</summary>
    public const string SetPause =
        "update taskrecovery_jobs set paused_at = ?2, resume_at = ?3, paused_by = ?4, paused_reason = ?5 where id = ?1";

    /// <summary>The ids of paused jobs that resume by now. ?1 now.</summary>
    public const string ToResume = $"select id from taskrecovery_jobs where state = {Codes.JobPaused} and resume_at <= ?1";

    /// <summary>The active jobs whose planned run was due before a time, although no earlier run is unfinished, the longest first: name and
    /// next run. ?1 time, ?2 how many at most.</summary>
    public const string Overdue = $"""
        select j.name, j.next_run_at from taskrecovery_jobs j
        where j.state = {Codes.JobActive} and j.planned_entry is not null and j.next_run_at < ?1
            and not exists (select 1 from taskrecovery_tasks t where t.job_id = j.id and {Codes.TaskUnfinished}
                and {TaskSql.HasId})
        order by j.next_run_at limit ?2
        """;

    /// <summary>The active cron jobs with a planned run after a time. ?1 now.</summary>
    public const string PlannedCron = $"""
        {Columns} where {Active} and cron is not null and planned_entry is not null and next_run_at > ?1 and {HasId}
        """;

    /// <summary>Removes a job that this library did not store. ?1 name.</summary>
    /// <remarks>It can't run, and no list shows it, but its name could not be used.</remarks>
    public const string DeleteUnreadable = $"delete from taskrecovery_jobs where name = ?1 and not ({HasId})";

    /// <summary>Removes a job. ?1 id.</summary>
    public const string Delete = "delete from taskrecovery_jobs where id = ?1";
}
