namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>claims</c>.</summary>
internal static class ClaimSql
{
    /// <summary>Stores a claim. ?1 now, ?2 node, ?3 entries, ?4 attempts, ?5 crashes.</summary>
    public const string Insert =
        "insert into taskrecovery_claims (claimed_at, node, entries, attempts, crashes) values (?1, ?2, ?3, ?4, ?5)";

    /// <summary>Returns a row if the claim exists and belongs to the node. ?1 fence, ?2 node's id.</summary>
    public const string IsHeldBy =
        "select 1 from taskrecovery_claims c join taskrecovery_nodes n on n.number = c.node where c.id = ?1 and n.id = ?2";

    /// <summary>The entries, attempts and crashes of a claim. ?1 fence.</summary>
    public const string Contents = "select entries, attempts, crashes from taskrecovery_claims where id = ?1";

    /// <summary>When a claim was made. ?1 fence.</summary>
    public const string ClaimedAt = "select claimed_at from taskrecovery_claims where id = ?1";

    private const string WithNodes = $"""
        select c.id, c.claimed_at, n.name, n.named, n.id, c.entries, c.attempts, c.crashes, n.number
        from taskrecovery_claims c join taskrecovery_nodes n on n.number = c.node and {NodeSql.HasId}
        """;

    /// <summary>All claims, with their creation time and node.</summary>
    public const string All = $"{WithNodes} order by c.id";

    /// <summary>As <see cref="All"/>, only the claim under which an entry runs. ?1 entry.</summary>
    public const string OfRunning = $"""
        {WithNodes} where exists (select 1 from json_each(c.entries) e where e.value = ?1)
            and not exists (select 1 from taskrecovery_outcomes o where o.entry = ?1 and o.fence = c.id)
        order by c.id desc limit 1
        """;

    /// <summary>The claims of a node. ?1 node's id.</summary>
    public const string OfNode =
        "select c.id from taskrecovery_claims c join taskrecovery_nodes n on n.number = c.node where n.id = ?1 order by c.id";

    /// <summary>The claims of a node, with their entries, attempts and crashes. ?1 node's id.</summary>
    public const string ContentsOfNode = """
        select c.id, c.entries, c.attempts, c.crashes
        from taskrecovery_claims c join taskrecovery_nodes n on n.number = c.node where n.id = ?1
        """;

    /// <summary>Returns a row if an entry of the claim has no outcome under it. An entry whose row another program has removed can't have
    /// one. ?1 fence.</summary>
    public const string HasUnfinished = """
        select 1 from taskrecovery_claims c, json_each(c.entries) e
        where c.id = ?1 and not exists (select 1 from taskrecovery_outcomes o where o.entry = e.value and o.fence = c.id)
            and exists (select 1 from taskrecovery_entries x where x.id = e.value)
        limit 1
        """;

    /// <summary>Every entry listed by the claims up to a fence. ?1 fence.</summary>
    public const string EntriesUpTo = "select e.value from taskrecovery_claims c, json_each(c.entries) e where c.id <= ?1";

    /// <summary>Removes a claim. ?1 fence.</summary>
    public const string Delete = "delete from taskrecovery_claims where id = ?1";

    /// <summary>Draws a fence for an outcome without a claim by advancing the sequence. Requires that <see cref="DrawFirst"/> ran at least
    /// once.</summary>
    public const string Draw = "update sqlite_sequence set seq = seq + 1 where name = 'taskrecovery_claims' returning seq";

    /// <summary>Initializes the sequence of fences.</summary>
    public const string DrawFirst = "insert into sqlite_sequence (name, seq) values ('taskrecovery_claims', 1)";
}
