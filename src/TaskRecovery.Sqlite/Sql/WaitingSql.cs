namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>waiting</c>.</summary>
/// <remarks>A SQLite column takes values of any type, and text and blobs are greater than every number. A search that moves from value to
/// value must skip what is no integer: as a number it reads as 0, so that the search would never end. Retention ends such rows.</remarks>
internal static class WaitingSql
{
    /// <summary>Adds the waiting row of a new entry. ?1 id, ?2 queue, ?3 kind, ?4 level, ?5 run at.</summary>
    public const string Insert = "insert into taskrecovery_waiting (id, queue, kind, priority, run_at) values (?1, ?2, ?3, ?4, ?5)";

    /// <summary>Returns an entry to waiting. ?1 id, ?2 run at, ?3 attempt, ?4 crashes, ?5 its level after crashes, or null for its own
    /// priority.</summary>
    /// <remarks>If another program has added a row for the entry while it ran, the entry waits already, and that row stays. If two claims
    /// listed the entry, it may have ended under the other one: it does not run again.</remarks>
    public const string PutBack = """
        insert into taskrecovery_waiting (id, queue, kind, priority, run_at, attempt, crashes)
        select id, queue, kind, coalesce(?5, priority), ?2, ?3, ?4
        from taskrecovery_entries where id = ?1
            and not exists (select 1 from taskrecovery_outcomes o where o.entry = ?1 and o.final = 1)
        on conflict (id) do nothing
        """;

    /// <summary>The next level of a kind that has waiting entries, and when its first entry is due. ?1 queue, ?2 kind, ?3 last
    /// level.</summary>
    /// <remarks>A row comparison, (kind, priority) &gt; (?, ?), would scan the whole last group instead of seeking to the next
    /// one.</remarks>
    public const string NextLevel = """
        select priority, run_at from taskrecovery_waiting
        where queue = ?1 and kind = ?2 and priority > ?3 and priority <= 2147483647 and typeof(priority) = 'integer'
            and typeof(run_at) = 'integer'
        order by priority, run_at limit 1
        """;

    /// <summary>The next kind of a queue that has waiting entries. ?1 queue, ?2 last kind.</summary>
    public const string NextKind = """
        select kind from taskrecovery_waiting
        where queue = ?1 and kind > ?2 and kind <= 9223372036854775807 and typeof(kind) = 'integer'
        order by kind limit 1
        """;

    /// <summary>The due entries of a kind and level, in order. ?1 queue, ?2 kind, ?3 level, ?4 now, ?5 limit.</summary>
    public const string Due = """
        select id, run_at from taskrecovery_waiting
        where queue = ?1 and kind = ?2 and priority = ?3 and run_at <= ?4
        order by run_at, id limit ?5
        """;

    /// <summary>When the next entry of a kind and level that is not due yet becomes due. ?1 queue, ?2 kind, ?3 level, ?4 now.</summary>
    public const string FirstLater = """
        select min(run_at) from taskrecovery_waiting
        where queue = ?1 and kind = ?2 and priority = ?3 and run_at > ?4 and run_at <= 9223372036854775807
        """;

    /// <summary>How many entries of a kind and level are due. ?1 queue, ?2 kind, ?3 level, ?4 now, ?5 limit.</summary>
    public const string CountDue = """
        select count(*) from (
            select 1 from taskrecovery_waiting where queue = ?1 and kind = ?2 and priority = ?3 and run_at <= ?4 limit ?5)
        """;

    /// <summary>Copies the level and the counts of a previous entry to a new one. ?1 id, ?2 level, ?3 attempt, ?4 crashes.</summary>
    public const string SetCounts = "update taskrecovery_waiting set priority = ?2, attempt = ?3, crashes = ?4 where id = ?1";

    /// <summary>Removes an entry's waiting row. ?1 id.</summary>
    public const string Take = "delete from taskrecovery_waiting where id = ?1 returning attempt, crashes";

    /// <summary>The last id of a part of the table. ?1 after this id, ?2 the number of rows.</summary>
    public const string EndOfPart = "select max(id) from (select id from taskrecovery_waiting where id > ?1 order by id limit ?2)";

    /// <summary>The rows of a part of the table that no claim finds, because a column is no integer, and the name of that column. ?1 after
    /// this id, ?2 last id.</summary>
    public const string Unreadable = """
        select id, case 'integer' when typeof(run_at) then case typeof(priority) when 'integer' then case typeof(kind) when 'integer'
                then 'queue' else 'kind' end else 'priority' end else 'run_at' end
        from taskrecovery_waiting
        where id > ?1 and id <= ?2
            and not (typeof(queue) = 'integer' and typeof(kind) = 'integer' and typeof(priority) = 'integer' and typeof(run_at) = 'integer')
        limit 1000
        """;

    /// <summary>Returns a row if an entry is waiting and was due before a time. ?1 id, ?2 time.</summary>
    public const string IsOverdue = "select 1 from taskrecovery_waiting where id = ?1 and run_at <= ?2";
}
