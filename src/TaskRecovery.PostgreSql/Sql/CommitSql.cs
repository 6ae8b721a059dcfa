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
}
