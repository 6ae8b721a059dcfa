namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>reports</c> and <c>run_logs</c>.</summary>
internal static class RunInfoSql
{
    // The rest of the condition: the entry.
    private const string NotErased =
        $"not exists (select 1 from taskrecovery_outcomes o where o.final = 1 and o.reason = '{EndReasons.Erased}' and o.entry = ";

    /// <summary>Stores the progress of a run if the node holds the claim and the entry is not erased. ?1 node, ?2 entry, ?3 fence, ?4
    /// done, ?5 total, ?6 message, ?7 now.</summary>
    public const string Report = $"""
        insert into taskrecovery_reports as r (entry, fence, reported_at, done, total, message)
        select ?2, ?3, ?7, ?4, ?5, ?6
        where exists (select 1 from taskrecovery_claims c join taskrecovery_nodes n on n.number = c.node where c.id = ?3 and n.id = ?1)
            and {NotErased}?2)
        on conflict (entry) do update
            set fence = excluded.fence, done = excluded.done, total = excluded.total, message = excluded.message,
                reported_at = excluded.reported_at
            where r.fence <= excluded.fence
        """;

    /// <summary>Stores a part of a log, unless the entry is gone or erased. ?1 entry, ?2 fence, ?3 part, ?4 lines.</summary>
    public const string Append = $"""
        insert or ignore into taskrecovery_run_logs (entry, fence, part, lines)
        select ?1, ?2, ?3, ?4 where exists (select 1 from taskrecovery_entries where id = ?1) and {NotErased}?1)
        """;

    /// <summary>The progress of an entry. ?1 entry.</summary>
    public const string FindReport = "select done, total, message, reported_at, fence from taskrecovery_reports where entry = ?1";

    /// <summary>The log lines of an entry's runs, oldest first, in parts. ?1 entry.</summary>
    public const string FindLog = "select fence, lines from taskrecovery_run_logs where entry = ?1 order by fence, part limit 1000";

    /// <summary>Removes the progress of an entry. ?1 entry.</summary>
    public const string DeleteReport = "delete from taskrecovery_reports where entry = ?1";

    /// <summary>Removes the log of an entry. ?1 entry.</summary>
    public const string DeleteLog = "delete from taskrecovery_run_logs where entry = ?1";
}
