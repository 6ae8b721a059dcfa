namespace TaskRecovery.PostgreSql;

/// <summary>Makes an answer about earlier commits as durable as a commit.</summary>
internal static class CommitSql
{
    /// <summary>Always true. If commits wait for a standby, this one does too, because it writes to the write-ahead log.</summary>
    /// <remarks>A read-only transaction waits for no standby, but it sees data that only the primary has if the wait of the writing
    /// transaction was cancelled. Without this, a repeated call would be answered as stored although a failover can still lose the
    /// work.</remarks>
    internal const string Confirm =
        "case when current_setting('synchronous_standby_names') = '' then true else pg_logical_emit_message(true, 'taskrecovery', '') "
        + "is not null end";

    /// <summary>Whether a caller's transaction was committed, by an entry that was stored in it. $1 transaction, $2 entry, $3
    /// and $4 the times between which the transaction has created its entries.</summary>
    /// <remarks>While the commit waits for a standby, nobody sees the entry. Therefore a missing entry means something only if the snapshot
    /// that does not show it contains the end of the transaction. An id that the server has not assigned yet, because it lost the
    /// transaction in a crash or a failover, is in no snapshot until another transaction has it. Sent only to a primary: the snapshot of a
    /// standby can't tell what has ended.
    /// <para>After a failover that lost the transaction, the server may assign its id and that of the entry again.
    /// Another entry with the same id was created later, so the time distinguishes them.</para></remarks>
    /// <returns>Null while the transaction may still be committed. If it was, the answer is as durable as a commit.</returns>
    internal const string IsCommitted = $$"""
        select t.is_committed, case when t.is_committed then {{Confirm}} end
        from (
            select case when pg_visible_in_snapshot($1, pg_current_snapshot())
                then exists (select from {schema}.entries e where e.id = $2 and e.created_at between $3 and $4) end as is_committed
            offset 0
        ) t
        """;
}
