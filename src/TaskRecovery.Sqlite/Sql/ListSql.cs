namespace TaskRecovery.Sqlite;

/// <summary>Entries as users see them. ?6 in every list: whether to include arguments and results.</summary>
internal static class ListSql
{
    private const string Columns = """
        select e.id, k.name, q.name, e.priority, case when ?6 then e.args else '' end, e.max_attempts, e.created_at, e.unique_key, e.timeout, e.metadata,
            w.run_at, w.attempt, w.crashes,
            o.kind, o.final, o.ended_at, o.duration, o.attempt, o.crashes, case when ?6 then o.result end, o.error, o.reason,
            n.name, n.named, n.id,
            exists (select 1 from taskrecovery_cancellations c where c.entry = e.id), e.expires_at
        from
        """;

    private const string Joins = """
        cross join taskrecovery_kinds k on k.id = e.kind
        cross join taskrecovery_queues q on q.id = e.queue
        left join taskrecovery_waiting w on w.id = e.id
        left join taskrecovery_outcomes o on o.entry = e.id and o.fence = (select max(l.fence) from taskrecovery_outcomes l where l.entry = e.id)
        left join taskrecovery_nodes n on n.number = o.node
        """;

    private const string Filter = """
        where (?1 is null or e.id < ?1) and (?2 is null or e.queue = ?2) and (?3 is null or e.kind = ?3)
        """;

    private const string End = "order by e.id desc limit ?4";

    /// <summary>One entry. ?1 id.</summary>
    public const string Find = $"{Columns} taskrecovery_entries e {Joins} where e.id = ?1";

    /// <summary>All entries. ?1 before, ?2 queue, ?3 kind, ?4 limit.</summary>
    public const string All = $"{Columns} taskrecovery_entries e {Joins} {Filter} {End}";

    /// <summary>Waiting entries. ?1 before, ?2 queue, ?3 kind, ?4 limit.</summary>
    public const string Waiting = $"""
        {Columns} taskrecovery_waiting f cross join taskrecovery_entries e on e.id = f.id {Joins}
        where (?1 is null or f.id < ?1) and (?2 is null or f.queue = ?2) and (?3 is null or f.kind = ?3) order by f.id desc limit ?4
        """;

    /// <summary>The entries whose ids are in a JSON array. ?1 before, ?2 queue, ?3 kind, ?4 limit, ?5 ids.</summary>
    public const string Listed = $"{Columns} (select distinct value from json_each(?5)) f cross join taskrecovery_entries e on e.id = f.value {Joins} {Filter} {End}";

    /// <summary>Completed entries. ?1 before, ?2 queue, ?3 kind, ?4 limit.</summary>
    public const string Completed = $"{Columns} taskrecovery_entries e {Joins} {Filter} and o.final = 1 and o.kind = 0 {End}";

    /// <summary>Failed entries, read from their own index. ?1 before, ?2 queue, ?3 kind, ?4 limit.</summary>
    public const string Failed = $"""
        {Columns} taskrecovery_outcomes f cross join taskrecovery_entries e on e.id = f.entry {Joins} {Filter}
        and f.final = 1 and f.kind > 0 and f.kind = 1 {End}
        """;

    /// <summary>Cancelled entries, read from their own index. ?1 before, ?2 queue, ?3 kind, ?4 limit.</summary>
    public const string Cancelled = $"""
        {Columns} taskrecovery_outcomes f cross join taskrecovery_entries e on e.id = f.entry {Joins} {Filter}
        and f.final = 1 and f.kind > 0 and f.kind in (2, 7) {End}
        """;

    /// <summary>The number of waiting entries, and how many of them are due. ?1 now, ?2 queue.</summary>
    public const string CountWaiting = "select count(*), coalesce(sum(run_at <= ?1), 0) from taskrecovery_waiting where ?2 is null or queue = ?2";

    /// <summary>The number of running entries. ?1 queue.</summary>
    public const string CountRunning = """
        select count(*) from taskrecovery_claims c, json_each(c.entries) r
        where not exists (select 1 from taskrecovery_outcomes o where o.entry = r.value and o.fence = c.id)
            and (?1 is null or exists (select 1 from taskrecovery_entries e where e.id = r.value and e.queue = ?1))
        """;

    /// <summary>The number of ended entries by outcome.</summary>
    public const string CountEnded = "select kind, count(*) from taskrecovery_outcomes where final = 1 group by kind";

    /// <summary>The number of a queue's ended entries by outcome. ?1 queue.</summary>
    public const string CountEndedOfQueue = """
        select o.kind, count(*) from taskrecovery_outcomes o join taskrecovery_entries e on e.id = o.entry
        where o.final = 1 and e.queue = ?1 group by o.kind
        """;
}
