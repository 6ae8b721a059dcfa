using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>operations</c> and <c>operation_entries</c>.</summary>
internal static class OperationSql
{
    private const string Columns = """
        select id, action, state, query, ids, retry_from, retry_at, undoes, undone_by, actor, reason, tool, created_at, started_at,
            ended_at,
            up_to_id, position, expected, expected_precision, done, refused
        from taskrecovery_operations
        """;

    /// <summary>Stores an operation. ?1 action, ?2 state, ?3 query, ?4 ids, ?5 where retried entries start, ?6 when they run, ?7 the
    /// operation that it reverses, ?8 actor, ?9 reason, ?10 tool, ?11 now, ?12 started, ?13 highest entry id, ?14 expected entries, ?15
    /// precision of that number.</summary>
    public const string Insert = """
        insert into taskrecovery_operations
            (action, state, query, ids, retry_from, retry_at, undoes, actor, reason, tool, created_at, started_at, up_to_id, position,
                expected, expected_precision)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, max(?13, coalesce((select max(value) from json_each(?4)), 0)) + 1,
            ?14, ?15)
        """;

    /// <summary>The highest entry id.</summary>
    public const string LastEntry = "select coalesce(max(id), 0) from taskrecovery_entries";

    /// <summary>Lets an operation begin at a position. ?1 id, ?2 position.</summary>
    public const string BeginAt = "update taskrecovery_operations set position = ?2 where id = ?1";

    /// <summary>The highest id among the entries of an operation. ?1 operation.</summary>
    public const string LastChanged = "select max(entry) from taskrecovery_operation_entries where operation = ?1";

    /// <summary>One operation. ?1 id.</summary>
    public const string Find = $"{Columns} where id = ?1";

    /// <summary>One operation, if it has a scope. ?1 id, ?2 the text of that scope in a stored query.</summary>
    public const string FindInScope = $"{Find} and instr(query, ?2) > 0";

    /// <summary>Operations that were started, newest first. ?1 only ids below this one, ?2 how many at most.</summary>
    public const string List = $"{Columns} where id < ?1 and state > {Codes.OperationPrepared} order by id desc limit ?2";

    /// <summary>The running operations, oldest first.</summary>
    public const string Running = $"select id from taskrecovery_operations where state = {Codes.OperationRunning} order by id";

    /// <summary>Starts an operation. ?1 id, ?2 now, ?3 the reason, or null for the one with which it was prepared.</summary>
    public const string Start = $"update taskrecovery_operations set state = {Codes.OperationRunning}, started_at = ?2, "
        + "reason = coalesce(?3, reason) where id = ?1";

    /// <summary>Stops an operation. ?1 id, ?2 now.</summary>
    public const string Stop = $"update taskrecovery_operations set state = {Codes.OperationStopped}, ended_at = ?2 where id = ?1";

    /// <summary>Marks an operation as reversed. ?1 id, ?2 by which operation.</summary>
    public const string MarkUndone = "update taskrecovery_operations set undone_by = ?2 where id = ?1";

    /// <summary>Stores the progress of a step. ?1 id, ?2 position, ?3 how many were changed, ?4 how many were not, ?5 state, ?6 when it
    /// ended, or null.</summary>
    public const string Advance = """
        update taskrecovery_operations set position = ?2, done = done + ?3, refused = refused + ?4, state = ?5, ended_at = ?6 where id = ?1
        """;

    /// <summary>Stores what a step did to an entry. ?1 operation, ?2 entry, ?3 result, ?4 fence, ?5 due time, ?6 level, ?7 attempt, ?8
    /// crashes.</summary>
    public const string AddEntry = """
        insert into taskrecovery_operation_entries (operation, entry, result, fence, run_at, level, attempt, crashes)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """;

    /// <summary>What an operation has changed, highest id first, and whether it cancels. ?1 operation, ?2 only ids below this one, ?3 how
    /// many at most.</summary>
    public const string Changed = $"""
        select entry, fence, run_at, level, attempt, crashes,
            coalesce((select o.action = {Codes.BulkCancel} from taskrecovery_operations o where o.id = ?1), 0)
        from taskrecovery_operation_entries
        where operation = ?1 and entry < ?2 and result = {Codes.ResultDone} order by entry desc limit ?3
        """;

    /// <summary>Takes the cancel request of an entry that runs over from the operations that made it, whose undo then leaves the entry. ?1
    /// entry.</summary>
    public const string TakeOver = $"""
        update taskrecovery_operation_entries set fence = {Codes.FenceOfOther}
        where entry = ?1 and run_at is null and result = {Codes.ResultDone}
            and (select o.action from taskrecovery_operations o where o.id = operation) = {Codes.BulkCancel}
        """;

    /// <summary>The entries of an operation. ?1 operation, ?2 only ids above this one, ?3 whether only those that it could not change, ?4
    /// how many at most.</summary>
    public const string ListEntries = $"""
        select entry, result from taskrecovery_operation_entries
        where operation = ?1 and entry > ?2 and (not ?3 or result <> {Codes.ResultDone}) order by entry limit ?4
        """;

    /// <summary>What operations did to an entry, newest first. ?1 entry, ?2 how many at most.</summary>
    public const string OfEntry = """
        select o.id, o.action, e.result, o.actor, o.reason, o.tool, coalesce(o.started_at, o.created_at), o.undoes,
            o.retry_from, o.retry_at
        from taskrecovery_operation_entries e cross join taskrecovery_operations o on o.id = e.operation
        where e.entry = ?1 order by e.operation desc limit ?2
        """;

    /// <summary>The place at which an entry waits. ?1 entry.</summary>
    public const string Place = "select run_at, priority, attempt, crashes from taskrecovery_waiting where id = ?1";

    /// <summary>Puts an entry back at the place at which it had waited. ?1 id, ?2 due time, ?3 level, ?4 attempt, ?5 crashes, ?6 the fence
    /// of the outcome that cancelled it, ?7 now.</summary>
    /// <remarks>A run that waited for the end of a pause is due now if the pause is over: the resume did not find it, and has removed its
    /// row of <c>paused_runs</c>.</remarks>
    public static readonly string Restore = $"""
        insert into taskrecovery_waiting (id, queue, kind, priority, run_at, attempt, crashes)
        select id, queue, kind, ?3,
            case when {OutcomeSql.WasPutBackForPause("o.entry = ?1 and o.fence < ?6")}
                and not exists (select 1 from taskrecovery_paused_runs p where p.entry = ?1) then min(?2, ?7) else ?2 end,
            ?4, ?5
        from taskrecovery_entries where id = ?1
        on conflict (id) do nothing
        """;

    /// <summary>Reopens the task of an entry. ?1 entry.</summary>
    public const string ReopenTask =
        $"update taskrecovery_tasks set state = {Codes.TaskCreated}, reason = null, started_at = null, ended_at = null "
        + $"where entry_id = ?1 and state in ({Codes.TaskFailed}, {Codes.TaskCancelled})";

    /// <summary>Ends the task of an entry again as it had ended. ?1 entry, ?2 state, ?3 attempt, ?4 crashes, ?5 result, ?6 error, ?7
    /// reason, ?8 end, ?9 start, or null.</summary>
    public const string EndTask = $"""
        update taskrecovery_tasks set state = ?2, attempt = ?3, crashes = ?4, result = ?5, error = coalesce(?6, error), reason = ?7,
            ended_at = ?8, started_at = ?9
        where entry_id = ?1 and state = {Codes.TaskCreated}
        """;

    /// <summary>The newest outcome of an entry. ?1 entry.</summary>
    public const string LastFence = "select max(fence) from taskrecovery_outcomes where entry = ?1";

    /// <summary>An old operation whose undo does not run. ?1 ended before, ?2 prepared before.</summary>
    public const string Old = $"""
        select a.id from taskrecovery_operations a
        where ((a.state > {Codes.OperationRunning} and a.ended_at < ?1) or (a.state = {Codes.OperationPrepared} and a.created_at < ?2))
            and not exists (select 1 from taskrecovery_operations u where u.undoes = a.id and u.state = {Codes.OperationRunning})
        order by a.id limit 1
        """;

    /// <summary>Removes some entries of an operation. ?1 id, ?2 how many at most.</summary>
    public const string DeleteEntries = """
        delete from taskrecovery_operation_entries where operation = ?1 and entry in (
            select entry from taskrecovery_operation_entries where operation = ?1 order by entry limit ?2)
        """;

    /// <summary>Removes an operation. ?1 id.</summary>
    public const string Delete = "delete from taskrecovery_operations where id = ?1";
}
