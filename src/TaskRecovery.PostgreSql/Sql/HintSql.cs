namespace TaskRecovery.PostgreSql;

/// <summary>Hints that there is something to do. Nothing depends on one arriving.</summary>
internal static class HintSql
{
    /// <summary>Sends hints. $1 the channel, $2 what to say.</summary>
    internal const string Send = "select pg_notify($1, n.word) from unnest($2) n(word)";

    /// <summary>The transaction that is open on the connection.</summary>
    internal const string Transaction = "select pg_current_xact_id()";

    /// <summary>Which transactions have ended. $1 transactions.</summary>
    /// <returns>Each of them, and whether it committed; one that ended so long ago that the server has forgotten counts as committed.</returns>
    internal const string Ended = """
        select x.id, coalesce(s.status, 'committed') = 'committed'
        from unnest($1) x (id) cross join lateral (select pg_xact_status(x.id) as status) s
        where s.status is distinct from 'in progress'
        """;
}
