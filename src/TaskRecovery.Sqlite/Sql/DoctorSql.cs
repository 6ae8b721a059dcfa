namespace TaskRecovery.Sqlite;

/// <summary>Statements of the checks of a file.</summary>
internal static class DoctorSql
{
    public const string Indexes = "select name from sqlite_schema where type = 'index'";

    /// <summary>Triggers on the library's tables, and views with the name of one: type, name, table.</summary>
    public const string ForeignCode = """
        select type, name, tbl_name from sqlite_schema
        where (type = 'trigger' and tbl_name like 'taskrecovery\_%' escape '\')
            or (type = 'view' and name like 'taskrecovery\_%' escape '\')
        """;

    /// <summary>Reads every page, and stops after some errors.</summary>
    public const string QuickCheck = "pragma quick_check(5)";

    public const string JournalMode = "pragma journal_mode";

    public const string PageSize = "pragma page_size";

    public const string PageCount = "pragma page_count";

    public const string FreePages = "pragma freelist_count";

    /// <summary>Nodes that hold entries for long: name, number of entries, time, first entry. ?1 claimed before.</summary>
    public const string Held = """
        select n.name, count(*), min(c.claimed_at), min(u.value)
        from taskrecovery_claims c join taskrecovery_nodes n on n.number = c.node join json_each(c.entries) u
        where c.claimed_at < ?1 and not exists (select 1 from taskrecovery_outcomes o where o.entry = u.value and o.fence = c.id)
        group by n.number
        """;

    /// <summary>When the first of the oldest entries ended that should have been removed. ?1 ended before.</summary>
    public const string Retention = """
        select min(o.ended_at) from (select id from taskrecovery_entries order by id limit 1000) e
        join taskrecovery_outcomes o on o.entry = e.id and o.final = 1 and o.ended_at < ?1
        """;
}
