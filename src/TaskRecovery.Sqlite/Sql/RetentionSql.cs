namespace TaskRecovery.Sqlite;

/// <summary>What is no longer kept.</summary>
internal static class RetentionSql
{
    /// <summary>A stretch of entries, oldest first, with how and when they ended, under which claim, and when they were created: a condition on that, which has no index, would look for
    /// more to the end of the table. ?1 after this id, ?2 limit.</summary>
    public const string Walk = """
        select e.id, o.kind, o.ended_at, o.fence, e.created_at from taskrecovery_entries e
        left join taskrecovery_outcomes o on o.entry = e.id and o.final = 1
        where e.id > ?1 order by e.id limit ?2
        """;

    /// <summary>Tasks that are no longer kept and whose entry is gone. ?1 completed before, ?2 failed before, ?3 cancelled before, ?4 the latest of them, ?5 limit.</summary>
    public const string Tasks = """
        select t.id from taskrecovery_tasks t
        where t.state > 1 and t.ended_at <= ?4 and t.ended_at <= case t.state when 2 then ?1 when 3 then ?2 else ?3 end
            and not exists (select 1 from taskrecovery_entries e where e.id = t.entry_id)
        limit ?5
        """;

    /// <summary>Removes a task. ?1 id.</summary>
    public const string DeleteTask = "delete from taskrecovery_tasks where id = ?1";
}
