namespace TaskRecovery.PostgreSql;

/// <summary>Statements for hints about new work. Correctness never depends on the arrival of a hint.</summary>
internal static class HintSql
{
    /// <summary>Sends hints. $1 channel, $2 texts.</summary>
    internal const string Send = "select pg_notify($1, n.word) from unnest($2) n(word)";

    /// <summary>Which transactions have ended. $1 transactions.</summary>
    /// <returns>The ended transactions, each with whether it committed. A transaction that ended so long ago that the server has no record
    /// of it counts as committed.</returns>
    internal const string Ended = """
        select x.id, coalesce(s.status, 'committed') = 'committed'
        from unnest($1) x (id) cross join lateral (select pg_xact_status(x.id) as status) s
        where s.status is distinct from 'in progress'
        """;
}
