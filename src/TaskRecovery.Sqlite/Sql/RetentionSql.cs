using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Statements that find and remove expired history.</summary>
internal static class RetentionSql
{
    /// <summary>A range of entries, lowest id first, with their final outcome and creation time. It does not filter by end time:
    /// there is no index for that, so a filter would scan to the end of the table to fill the limit. ?1 after this id, ?2 limit.</summary>
    public const string Walk = """
        select e.id, o.kind, o.ended_at, o.fence, e.created_at from taskrecovery_entries e
        left join taskrecovery_outcomes o on o.entry = e.id and o.final = 1
        where e.id > ?1 order by e.id limit ?2
        """;

    /// <summary>Expired tasks whose entry was removed. ?1 completed before, ?2 failed before, ?3 cancelled before, ?4 the latest of these
    /// times, ?5 limit.</summary>
    public const string Tasks = $"""
        select t.id from taskrecovery_tasks t
        where t.state > {Codes.TaskRunning} and t.ended_at <= ?4 and t.ended_at <= {ExpiredBefore}
            and not exists (select 1 from taskrecovery_entries e where e.id = t.entry_id)
        limit ?5
        """;

    private const string ExpiredBefore =
        $"case t.state when {Codes.TaskCompleted} then ?1 when {Codes.TaskFailed} then ?2 else ?3 end";

    /// <summary>About how many bytes an entry's rows have. Lengths are read without the values. ?1 entry.</summary>
    public const string EntrySize = """
        select octet_length(args) + coalesce(octet_length(metadata), 0)
            + coalesce((select sum(coalesce(octet_length(result), 0) + coalesce(octet_length(error), 0))
                from taskrecovery_outcomes where entry = ?1), 0)
            + coalesce((select sum(coalesce(octet_length(result), 0)) from taskrecovery_steps where entry = ?1), 0)
            + coalesce((select sum(octet_length(data)) from taskrecovery_checkpoints where entry = ?1), 0)
            + coalesce((select sum(octet_length(lines)) from taskrecovery_run_logs where entry = ?1), 0)
        from taskrecovery_entries where id = ?1
        """;

    /// <summary>About how many bytes a task's rows have. ?1 task.</summary>
    public const string TaskSize = """
        select coalesce(octet_length(result), 0) + coalesce(octet_length(error), 0)
            + coalesce((select sum(coalesce(octet_length(result), 0)) from taskrecovery_steps where task = ?1), 0)
            + coalesce((select sum(octet_length(data)) from taskrecovery_checkpoints where task = ?1), 0)
        from taskrecovery_tasks where id = ?1
        """;

    /// <summary>Removes a task. ?1 id.</summary>
    public const string DeleteTask = "delete from taskrecovery_tasks where id = ?1";
}
