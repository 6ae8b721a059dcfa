using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>jobs</c>. A job's row is locked while a run of it starts or its plan changes.</summary>
internal static class JobSql
{
    /// <summary>The interval in microseconds, limited to values that allow arithmetic: an interval below a second becomes a
    /// second.</summary>
    private static readonly string Every = Micros("j.every", least: "1 second");

    /// <summary>The columns of a job.</summary>
    internal static readonly string Columns = ColumnsWith("j.args");

    /// <summary>As <see cref="Columns"/>, with empty arguments.</summary>
    internal static readonly string ColumnsWithoutArgs = ColumnsWith("''::text");

    /// <summary>The condition of an active job.</summary>
    private const string Active = $"j.state = {Codes.JobActive}";

    /// <summary>The condition under which a row can be planned. The constraint <c>jobs_sound</c> requires the same, but rows that are older
    /// than the constraint may violate it.</summary>
    private const string Sound = """
        octet_length(j.queue) between 1 and 100 and octet_length(j.entry_kind) between 1 and 2000
                    and j.priority between 0 and 9 and j.max_attempts between 1 and 1000
                    and (j.timeout is null
                        or j.timeout > interval '0' and j.timeout <= interval '1080 hours' and extract(month from j.timeout) = 0)
        """;

    /// <summary>Limits a time to the years 2 to 9000: a row that was written by hand may have a time that allows no arithmetic.</summary>
    /// <remarks>The functions ignore nulls, so that a null needs a case of its own.</remarks>
    internal static string Clamp(string column) => $"""
        case when {column} is not null
                then least(greatest({column}, timestamptz '0002-01-01 00:00Z'), timestamptz '9000-01-01 00:00Z') end
        """;

    private static string ColumnsWith(string args) => $"""
        j.id, j.name, j.kind, {args}, {Every}, {Clamp("j.once_at")}, j.state, j.overlap, j.missed_runs, j.queue, j.priority,
            j.max_attempts, {Micros("j.timeout")},
            case when j.planned_entry is not null then {Clamp("j.next_run_at")} end, {Clamp("j.created_at")}, {Clamp("j.updated_at")},
            j.declared_by, j.cron, j.time_zone, {Clamp("j.start_at")}, {Clamp("j.end_at")}, j.exceptions,
            {Micros("j.catch_up_within")}, j.catch_up_limit, {Micros("j.expires_after")},
            {Clamp("j.paused_at")}, {Clamp("j.resume_at")}, j.paused_by, j.paused_reason, {Clamp("j.orphaned_at")}
        """;

    /// <summary>A time span in microseconds, limited to 36,500 days either way, or to another least one.</summary>
    private static string Micros(string column, string least = "-876000 hours") => $"""
        case when {column} is not null
                then (extract(epoch from least(greatest({column}, interval '{least}'), interval '876000 hours'))
                    * 1000000)::bigint end
        """;

    /// <summary>The arguments of the entry of a planned run, as <see cref="JobEntryArgs"/> writes them.</summary>
    /// <param name="job">The column with the job's id.</param>
    /// <param name="due">The column with the due time.</param>
    internal static string ArgsOf(string job, string due) => $$"""
        '{"jobId":"' || {{job}} || '","taskId":null,"dueAt":"'
                || to_char({{due}} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","isPlanned":true}'
        """;

    /// <summary>$1 id.</summary>
    internal static readonly string Find = $"select {Columns} from {{schema}}.jobs j where j.id = $1";

    /// <summary>$1 name.</summary>
    internal static readonly string FindByName = $"select {Columns} from {{schema}}.jobs j where j.name = $1";

    /// <summary>$1 names.</summary>
    internal static readonly string FindByNames = $"select {Columns} from {{schema}}.jobs j where j.name = any ($1)";

    /// <summary>The jobs that an application declares and that have not ended: name, declared as, whether orphaned. $1 the
    /// application.</summary>
    internal const string ListDeclared = $$"""
        select j.name, j.declared_as, j.orphaned_at is not null from {schema}.jobs j
            where j.declared_by = $1 and j.state <> {{Codes.JobEnded}} order by j.name
        """;

    /// <summary>Takes the lock that starts of runs wait for, to change the plan, and reads the row as it is after the wait for the lock. $1
    /// id, or null; $2 name, or null.</summary>
    internal static readonly string LockForPlan = $$"""
        select j.id, j.kind, j.entry_kind, j.args, {{Every}}, {{Clamp("j.once_at")}}, {{Clamp("j.start_at")}}, j.state, j.overlap,
            j.missed_runs, j.queue, j.priority, j.max_attempts, {{Micros("j.timeout")}}, {{Clamp("j.next_run_at")}}, j.planned_entry,
            clock_timestamp(), j.declared_by, j.name, j.cron, j.time_zone, {{Clamp("j.end_at")}}, j.exceptions,
            {{Micros("j.catch_up_within")}}, j.catch_up_limit, {{Micros("j.expires_after")}}, {{Clamp("j.paused_at")}},
            {{Clamp("j.resume_at")}}, j.declared_as, {{Clamp("j.orphaned_at")}}, j.paused_by, j.paused_reason
        from {schema}.jobs j where j.id = $1 or j.name = $2 for update
        """;

    /// <summary>As <see cref="LockForPlan"/>, but finds no job if another transaction has locked it.</summary>
    internal static readonly string TryLockForPlan = LockForPlan + " skip locked";

    /// <summary>Creates a job. $1 id, $2 name, $3 kind, $4 entry kind, $5 args, $6 queue. Inserts nothing if the name is taken.</summary>
    internal const string Insert = """
        insert into {schema}.jobs (id, name, kind, entry_kind, args, queue) values ($1, $2, $3, $4, $5, $6) on conflict (name) do nothing
        """;

    /// <summary>Stores the definition that the user gave. $1 id, $2 kind, $3 entry kind, $4 args, $5 interval in microseconds, $6 once at,
    /// $7 start at, $8 overlap, $9 missed runs, $10 queue, $11 priority, $12 max attempts, $13 timeout in microseconds, $14 the application
    /// that declares it, or null, $15 cron, $16 time zone, $17 end at, $18 exceptions, $19 catch up within, in microseconds, $20 catch-up
    /// limit, $21 expires after, in microseconds, $22 declared as, $23 orphaned at.</summary>
    /// <remarks>The interval is stored in microseconds only: an interval with days would depend on the session's time zone.</remarks>
    internal const string Update = """
        update {schema}.jobs set kind = $2, entry_kind = $3, args = $4, every = $5 * interval '1 microsecond', once_at = $6, start_at = $7,
            overlap = $8,
            missed_runs = $9, queue = $10, priority = $11, max_attempts = $12, timeout = $13 * interval '1 microsecond', declared_by = $14,
                updated_at = clock_timestamp(),
            cron = $15, time_zone = $16, end_at = $17, exceptions = $18, catch_up_within = $19 * interval '1 microsecond',
                catch_up_limit = $20,
            expires_after = $21 * interval '1 microsecond', declared_as = $22, orphaned_at = $23
        where id = $1
        """;

    /// <summary>Creates jobs with their plans, in the order of their names, so that two processes that create the same jobs can't deadlock.
    /// Skips names that are taken. $1 ids, $2 names, $3 kinds, $4 entry kinds, $5 args, $6 intervals in microseconds, $7 once at, $8 start
    /// at, $9 overlap, $10 missed runs, $11 queues, $12 priorities, $13 max attempts, $14 timeouts in microseconds, $15 the applications
    /// that declare them, $16 cron, $17 time zones, $18 end at, $19 exceptions, $20 catch up within, in microseconds, $21 catch-up limits,
    /// $22 expires after, in microseconds, $23 declared as, $24 states, $25 due times of the first runs, or null. Returns the names of the
    /// created jobs, their queues and whether they have a planned run.</summary>
    internal static readonly string InsertMany = $$"""
        with given as materialized (
            select g.*, case when g.due is not null then nextval('{schema:literal}.entries_id_seq') end as entry
            from unnest(
                $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::timestamptz[],
                $9::smallint[], $10::smallint[], $11::text[], $12::smallint[], $13::smallint[], $14::bigint[], $15::text[], $16::text[],
                $17::text[], $18::timestamptz[], $19::text[], $20::bigint[], $21::integer[], $22::bigint[], $23::text[], $24::smallint[],
                $25::timestamptz[])
                g (id, name, kind, entry_kind, args, every, once_at, start_at, overlap, missed_runs, queue, priority, max_attempts, timeout,
                    declared_by, cron, time_zone, end_at, exceptions, catch_up_within, catch_up_limit, expires_after, declared_as, state,
                    due)
        ), created as (
            insert into {schema}.jobs (
                id, name, kind, entry_kind, args, every, once_at, start_at, overlap, missed_runs, queue, priority, max_attempts, timeout,
                declared_by, cron, time_zone, end_at, exceptions, catch_up_within, catch_up_limit, expires_after, declared_as, state,
                next_run_at, planned_entry)
            select g.id, g.name, g.kind, g.entry_kind, g.args, g.every * interval '1 microsecond', g.once_at, g.start_at, g.overlap,
                g.missed_runs, g.queue, g.priority, g.max_attempts, g.timeout * interval '1 microsecond', g.declared_by, g.cron,
                g.time_zone, g.end_at, g.exceptions, g.catch_up_within * interval '1 microsecond', g.catch_up_limit,
                g.expires_after * interval '1 microsecond', g.declared_as, g.state, g.due, g.entry
            from given g
            order by g.name collate "C"
            on conflict (name) do nothing
            returning id, name, queue, entry_kind, priority, max_attempts, timeout, next_run_at, planned_entry
        ), planned as materialized (
            select c.*, q.id as queue_id, k.id as kind_id
            from created c
            cross join lateral (select q.id from {schema}.queues q where q.name = c.queue offset 0) q
            cross join lateral (select k.id from {schema}.kinds k where k.name = c.entry_kind offset 0) k
            where c.planned_entry is not null
        ), added as (
            insert into {schema}.entries (id, queue, kind, priority, max_attempts, args, timeout) overriding system value
            select p.planned_entry, p.queue_id, p.kind_id, p.priority, p.max_attempts, {{ArgsOf("p.id", "p.next_run_at")}},
                p.timeout
            from planned p
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority)
            select greatest(p.next_run_at, clock_timestamp()), p.planned_entry, p.queue_id, p.kind_id, p.priority from planned p
        )
        select c.name, c.queue, c.planned_entry is not null from created c
        """;

    /// <summary>The database's clock.</summary>
    internal const string Now = "select clock_timestamp()";

    /// <summary>Stores the plan. $1 id, $2 state, $3 the next run's due time, or null, $4 its entry, or null.</summary>
    internal const string SetPlan = "update {schema}.jobs set state = $2, next_run_at = $3, planned_entry = $4 where id = $1";

    /// <summary>Stores which application declares a job, as what, and that it is no orphan. $1 id, $2 application, $3 declared
    /// as.</summary>
    internal const string SetDeclared = "update {schema}.jobs set declared_by = $2, declared_as = $3, orphaned_at = null where id = $1";

    /// <summary>Stores that an application no longer declares these jobs, unless another one declares them by now or another transaction
    /// has locked them. $1 application, $2 names.</summary>
    internal const string SetOrphaned = """
        update {schema}.jobs set orphaned_at = clock_timestamp()
        where id = any (array(
            select j.id from {schema}.jobs j
            where j.name = any ($2) and j.declared_by = $1 and j.orphaned_at is null for no key update skip locked))
        """;

    /// <summary>Stores why a job is paused, or when it was; all null if neither. $1 id, $2 paused at, $3 resume at, $4 by, $5
    /// reason.</summary>
    internal const string SetPause =
        "update {schema}.jobs set paused_at = $2, resume_at = $3, paused_by = $4, paused_reason = $5 where id = $1";

    /// <summary>The ids and names of paused jobs that resume by now.</summary>
    internal const string ToResume =
        $"select j.id, j.name from {{schema}}.jobs j where j.state = {Codes.JobPaused} and j.resume_at <= clock_timestamp()";

    /// <summary>Active jobs whose planned run has been due for long, although no earlier run is unfinished, the longest first. $1 for how
    /// many microseconds, $2 how many at most. Returns name, next run, now.</summary>
    internal static readonly string Overdue = $$"""
        select j.name, {{Clamp("j.next_run_at")}}, clock_timestamp()
        from {schema}.jobs j
        where {{Active}} and j.planned_entry is not null
            and j.next_run_at < (select clock_timestamp()) - $1::bigint * interval '1 microsecond'
            and (select t.id {{TaskSql.FromUnfinished}} where u.job_id = j.id limit 1) is null
        order by j.next_run_at, j.id limit $2::bigint
        """;

    /// <summary>Active cron jobs with a planned run in the future, and what their plan depends on. Returns id, name, cron, time zone, start
    /// at, end at, exceptions, next run, now, planned entry.</summary>
    internal static readonly string PlannedCron = $$"""
        select j.id, j.name, j.cron, j.time_zone, {{Clamp("j.start_at")}}, {{Clamp("j.end_at")}}, j.exceptions, {{Clamp("j.next_run_at")}},
            clock_timestamp(), j.planned_entry
        from {schema}.jobs j where {{Active}} and j.cron is not null and j.planned_entry is not null and j.next_run_at > clock_timestamp()
        """;

    /// <summary>As <see cref="PlannedCron"/>, and locks the rows, except those that another transaction has locked. $1 ids.</summary>
    internal static readonly string LockPlannedCron =
        $"{PlannedCron} and j.id = any ($1) order by j.id for no key update skip locked";

    /// <summary>Adds an entry for a planned run. $1 job, $2 due time. Adds nothing if there is no such job.</summary>
    internal static readonly string AddEntry = $$"""
        with entry as (
            insert into {schema}.entries (queue, kind, priority, max_attempts, args, timeout)
            select q.id, k.id, j.priority, j.max_attempts, {{ArgsOf("j.id", "$2::timestamptz")}}, j.timeout
            from {schema}.jobs j
            join {schema}.queues q on q.name = j.queue
            join {schema}.kinds k on k.name = j.entry_kind
            where j.id = $1
            returning id, queue, kind, priority
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority)
            select greatest($2, clock_timestamp()), id, queue, kind, priority from entry
        )
        select id from entry
        """;

    /// <summary>Adds an entry for a run outside the schedule, if the job is active. $1 job, $2 the arguments of the entry. Returns the
    /// entry, the queue and the job's name.</summary>
    internal const string Trigger = $$"""
        with entry as (
            insert into {schema}.entries (queue, kind, priority, max_attempts, args, timeout)
            select q.id, k.id, j.priority, j.max_attempts, $2, j.timeout
            from {schema}.jobs j
            join {schema}.queues q on q.name = j.queue
            join {schema}.kinds k on k.name = j.entry_kind
            where j.id = $1 and {{Active}}
            returning id, queue, kind, priority
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority)
            select clock_timestamp(), id, queue, kind, priority from entry
        )
        select e.id, j.queue, j.name from entry e join {schema}.jobs j on j.id = $1
        """;

    /// <summary>Adds an entry for each due time that has no task yet, if the job is active. $1 job, $2 due times, $3 the arguments of the
    /// entries. Returns the queue, the number of entries and the job's name.</summary>
    internal const string Backfill = $$"""
        with plan as materialized (
            select nextval('{schema:literal}.entries_id_seq') as entry, g.args, j.priority, j.max_attempts, j.timeout, j.queue,
                q.id as queue_id, k.id as kind_id,
                j.name
            from {schema}.jobs j
            cross join unnest($2::timestamptz[], $3::text[]) g (due, args)
            join {schema}.queues q on q.name = j.queue
            join {schema}.kinds k on k.name = j.entry_kind
            where j.id = $1 and {{Active}} and not exists (select from {schema}.tasks t where t.job_id = j.id and t.due_at = g.due)
        ), added as (
            insert into {schema}.entries (id, queue, kind, priority, max_attempts, args, timeout) overriding system value
            select p.entry, p.queue_id, p.kind_id, p.priority, p.max_attempts, p.args, p.timeout from plan p
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority)
            select clock_timestamp(), p.entry, p.queue_id, p.kind_id, p.priority from plan p
        )
        select p.queue, count(*), p.name from plan p group by p.queue, p.name
        """;

    /// <summary>Ends a planned entry that waits. Planned entries always have <c>found_by_id</c>, also after they were put back. $1 entry,
    /// $2 outcome kind, $3 reason.</summary>
    internal const string EndWaiting = $$"""
        with gone as (
            delete from {schema}.waiting where ctid = any (array(
                select w.ctid from {schema}.waiting w where w.id = $1 and {{WaitingSql.FoundById}}))
            returning id, attempt, crashes
        )
        insert into {schema}.outcomes (entry, fence, duration_ms, kind, attempt, crashes, final, reason)
        select id, nextval('{schema:literal}.fences'), 0, $2, attempt, crashes, true, $3 from gone
        """;

    /// <summary>As <see cref="EndWaiting"/>, for many jobs whose rows are locked. Skips the entries that another transaction is about to
    /// move. $1 entries, $2 outcome kind, $3 reason. Returns the entries that were ended.</summary>
    internal const string EndManyWaiting = $$"""
        with gone as (
            delete from {schema}.waiting where ctid = any (array(
                select w.ctid from {schema}.waiting w
                where w.ctid = any (array(
                    select w.tid from unnest($1::bigint[]) i (id) cross join lateral (
                        select w.ctid as tid from {schema}.waiting w where w.id = i.id and {{WaitingSql.FoundById}} offset 0) w))
                    for update skip locked))
            returning id, attempt, crashes
        )
        insert into {schema}.outcomes (entry, fence, duration_ms, kind, attempt, crashes, final, reason)
        select g.id, nextval('{schema:literal}.fences'), 0, $2, g.attempt, g.crashes, true, $3 from gone g
        returning entry
        """;

    /// <summary>Ends a planned entry that a node has claimed but not started, under the claim's fence as the node itself would. $1 entry,
    /// $2 outcome kind, $3 reason.</summary>
    /// <remarks>Sent while the job's row is locked. The start of the run waits for that lock and then finds this outcome. There is no index
    /// from entries to claims: claims are few, and this is rare.</remarks>
    internal const string EndClaimed = """
        insert into {schema}.outcomes (entry, fence, duration_ms, node, kind, attempt, crashes, final, reason)
        select $1, c.id, 0, c.node, $2, coalesce(c.again_attempts[array_position(c.again, $1)], 0::smallint) + 1,
            coalesce(c.again_crashes[array_position(c.again, $1)], 0::smallint), true, $3
        from {schema}.claims c
        where $1 = any (c.entries) and not exists (select from {schema}.outcomes o where o.entry = $1 and o.fence = c.id)
        on conflict do nothing
        """;

    /// <summary>Whether a planned entry has ended or no longer exists. $1 entry.</summary>
    internal const string IsOver = """
        select exists (select from {schema}.outcomes o where o.entry = $1 and o.final)
            or not exists (select from {schema}.entries e where e.id = $1)
        """;

    /// <summary>Whether a planned entry is neither waiting nor claimed, as seen by one snapshot. $1 entry.</summary>
    internal const string IsNowhere = $$"""
        select not exists (select from {schema}.waiting w where w.id = $1 and {{WaitingSql.FoundById}})
            and not exists (
                select from {schema}.claims c
                where $1 = any (c.entries) and not exists (select from {schema}.outcomes o where o.entry = $1 and o.fence = c.id))
        """;

    /// <summary>$1 id.</summary>
    internal const string Delete = "delete from {schema}.jobs where id = $1";

    /// <summary>Names used by jobs that have no number yet, such as those of the old system.</summary>
    internal const string UnknownNames = $$"""
        select distinct j.entry_kind, null from {schema}.jobs j
        where not exists (select from {schema}.kinds k where k.name = j.entry_kind) and {{Sound}}
        union all
        select distinct null, j.queue from {schema}.jobs j
        where not exists (select from {schema}.queues q where q.name = j.queue) and {{Sound}}
        """;

    /// <summary>Locks active jobs without a planned run: never planned, or the planned entry no longer exists or has ended without becoming
    /// a run. $1 only ids after this one, $2 how many at most. Returns id, whether it had an entry, interval, once at, start at, next run,
    /// now, name, cron, time zone, end at, exceptions, whether its queue or entry kind has no number.</summary>
    /// <remarks>A planned entry nearly always waits, so one look-up is enough for it. Each row is locked by its own look-up: a join may
    /// read all jobs for each batch of them.
    /// If two nodes do this at once, the second one skips the locked rows, or finds another planned entry in them. Jobs of the old
    /// system, or written by hand, may have any interval and time: an unreadable row must not block the others.</remarks>
    internal static readonly string LockUnplanned = $$"""
        with found as materialized (
            select j.id, j.planned_entry from {schema}.jobs j
            where j.id > $1 and {{Active}} and {{Sound}}
                and (j.planned_entry is null
                    or (select w.id from {schema}.waiting w where w.id = j.planned_entry and {{WaitingSql.FoundById}}) is null
                        and ((select o.entry from {schema}.outcomes o where o.entry = j.planned_entry and o.final limit 1) is not null
                            or (select e.id from {schema}.entries e where e.id = j.planned_entry) is null))
            order by j.id
            limit $2
        )
        select j.id, j.planned_entry is not null, {{Every}}, {{Clamp("j.once_at")}}, {{Clamp("j.start_at")}}, {{Clamp("j.next_run_at")}},
            clock_timestamp(), j.name, j.cron, j.time_zone, {{Clamp("j.end_at")}}, j.exceptions,
            (select q.id from {schema}.queues q where q.name = j.queue) is null
                or (select k.id from {schema}.kinds k where k.name = j.entry_kind) is null
        from found f
        cross join lateral (
            select j.* from {schema}.jobs j
            where j.id = f.id and {{Active}} and j.planned_entry is not distinct from f.planned_entry
            for no key update skip locked) j
        order by j.id
        """;

    /// <summary>Plans the next runs of jobs whose rows are locked. $1 ids, $2 due times (null if the job has no further run). Returns the
    /// queues that got entries.</summary>
    /// <remarks>
    /// Each row is found by its own look-up, whatever the statistics say: a join that reads all jobs would do so once for each batch of
    /// them. Now that the rows are locked, checks again whether the planned entries have ended: an operator may have put one back since
    /// <see cref="LockUnplanned"/> began.
    /// </remarks>
    internal static readonly string PlanMany = $$"""
        with plan as materialized (
            select j.tid, p.id, p.due, j.priority, j.max_attempts, j.timeout, j.queue, q.id as queue_id, k.id as kind_id,
                case when p.due is not null then nextval('{schema:literal}.entries_id_seq') end as entry
            from unnest($1::uuid[], $2::timestamptz[]) p (id, due)
            cross join lateral (
                select j.*, j.ctid as tid from {schema}.jobs j
                where j.id = p.id and (j.planned_entry is null
                    or (select o.entry from {schema}.outcomes o where o.entry = j.planned_entry and o.final limit 1) is not null
                    or (select e.id from {schema}.entries e where e.id = j.planned_entry) is null)
                offset 0) j
            cross join lateral (select q.id from {schema}.queues q where q.name = j.queue offset 0) q
            cross join lateral (select k.id from {schema}.kinds k where k.name = j.entry_kind offset 0) k
        ), added as (
            insert into {schema}.entries (id, queue, kind, priority, max_attempts, args, timeout) overriding system value
            select p.entry, p.queue_id, p.kind_id, p.priority, p.max_attempts, {{ArgsOf("p.id", "p.due")}}, p.timeout
            from plan p where p.entry is not null
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority)
            select greatest(p.due, clock_timestamp()), p.entry, p.queue_id, p.kind_id, p.priority from plan p where p.entry is not null
        ), planned as (
            update {schema}.jobs j set next_run_at = p.due, planned_entry = p.entry,
                state = case when p.due is null then {{Codes.JobEnded}} else {{Codes.JobActive}} end
            from plan p where j.ctid = p.tid
        )
        select p.queue, count(*) from plan p where p.entry is not null group by p.queue
        """;
}
