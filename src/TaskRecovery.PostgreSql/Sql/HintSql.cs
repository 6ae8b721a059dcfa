namespace TaskRecovery.PostgreSql;

/// <summary>Statements for hints about new work. Correctness never depends on the arrival of a hint.</summary>
internal static class HintSql
{
    /// <summary>Sends hints. $1 channel, $2 texts.</summary>
    internal const string Send = "select pg_notify($1, n.word) from unnest($2) n(word)";

    /// <summary>Finds which of some transactions have ended, and sends the hints of those that committed. $1 transactions, $2 channel;
    /// for each hint, $3 its transaction and $4 its text. A text that several transactions have in common is sent once.</summary>
    /// <remarks>Most of the transactions still run. To find one in the snapshot costs much less than to ask for its status, which looks
    /// through all that run. After a crash or a failover, the server may not have assigned an id yet that it has lost; asking for its
    /// status would be an error, but it is not in the snapshot either. The snapshot is a query of its own, which runs once: as an
    /// expression it would be built for each transaction. The rows of <c>told</c> are counted because a query in a <c>with</c> clause that
    /// nothing refers to does not run.</remarks>
    /// <returns>The ended transactions. A transaction that ended so long ago that the server has no record of it counts as
    /// committed.</returns>
    internal const string SendEnded = """
        with seen as materialized (
            select pg_current_snapshot() as snapshot
        ), ended as materialized (
            select x.id, coalesce(pg_xact_status(x.id), 'committed') = 'committed' as is_committed
            from seen s cross join unnest($1::xid8[]) x (id)
            where pg_visible_in_snapshot(x.id, s.snapshot)
        ), told as materialized (
            select pg_notify($2, w.word)
            from (
                select distinct h.word from unnest($3::xid8[], $4::text[]) h (id, word) join ended e on e.id = h.id where e.is_committed
            ) w
        )
        select e.id, (select count(*) from told) from ended e
        """;
}
