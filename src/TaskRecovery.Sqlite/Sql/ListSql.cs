using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Entries as users see them.</summary>
internal static class ListSql
{
    private const string Columns = """
        select e.id, k.name, q.name, e.priority, case when ?2 then e.args
            else '' end, e.max_attempts, e.created_at, e.unique_key, e.timeout, e.metadata,
            w.run_at, w.attempt, w.crashes,
            o.kind, o.final, o.ended_at, o.duration, o.attempt, o.crashes, case when ?2 then o.result end, o.error, o.reason,
            n.name, n.named, n.id,
            exists (select 1 from taskrecovery_cancellations c where c.entry = e.id), e.expires_at, o.node
        from
        """;

    private const string Joins = $"""
        cross join taskrecovery_kinds k on k.id = e.kind
        cross join taskrecovery_queues q on q.id = e.queue
        left join taskrecovery_waiting w on w.id = e.id
        left join taskrecovery_outcomes o on o.entry = e.id
            and o.fence = (select l.fence from taskrecovery_outcomes l where l.entry = e.id order by l.final desc, l.fence desc limit 1)
        left join taskrecovery_nodes n on n.number = o.node and {NodeSql.HasId}
        """;

    /// <summary>One entry. ?1 id, ?2 whether to include arguments and results.</summary>
    public const string Find = $"{Columns} taskrecovery_entries e {Joins} where e.id = ?1";

    /// <summary>The queues to count. ?1 name, or null for all.</summary>
    public const string Queues = "select id from taskrecovery_queues where ?1 is null or name = ?1";

    /// <summary>The running entries; nothing; the rows examined. ?1 queue, or null, ?2 how many rows to examine.</summary>
    public const string CountRunning = """
        select coalesce(sum(not exists (select 1 from taskrecovery_outcomes o where o.entry = r.entry and o.fence = r.fence)
                and (?1 is null or exists (select 1 from taskrecovery_entries e where e.id = r.entry and e.queue = ?1))), 0), 0, count(*)
        from (select c.id as fence, j.value as entry from taskrecovery_claims c, json_each(c.entries) j limit ?2) r
        """;

    /// <summary>The completed entries; nothing; the rows examined, newest first. ?1 queue, or null, ?2 how many rows to examine.</summary>
    public const string CountEnded = $"""
        select coalesce(sum(o.final = 1 and o.kind = {Codes.OutcomeCompleted} and {OfQueue}), 0), 0, count(*)
        from (select entry, kind, final from taskrecovery_outcomes order by entry desc, fence desc limit ?2) o
        """;

    /// <summary>The failed and the cancelled entries, and the rows examined, from their own index. ?1 queue, or null, ?2 how many rows to
    /// examine.</summary>
    public const string CountUnwell = $"""
        select coalesce(sum(o.kind = {Codes.OutcomeFailed} and {OfQueue}), 0),
            coalesce(sum(o.kind <> {Codes.OutcomeFailed} and {OfQueue}), 0), count(*)
        from (select entry, kind from taskrecovery_outcomes where final = 1 and kind > {Codes.OutcomeCompleted} limit ?2) o
        """;

    private const string OfQueue = "(?1 is null or exists (select 1 from taskrecovery_entries e where e.id = o.entry and e.queue = ?1))";
}
