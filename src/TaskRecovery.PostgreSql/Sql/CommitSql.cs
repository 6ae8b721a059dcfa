namespace TaskRecovery.PostgreSql;

/// <summary>What makes an answer about earlier commits as good as a commit.</summary>
internal static class CommitSql
{
    /// <summary>True, and where commits wait for a standby this one does too: something is written to the log.</summary>
    /// <remarks>A transaction that only reads waits for no standby, but it sees what the primary alone has if another one's wait was
    /// cancelled: a repeated call would be told that its work is stored, and a failover
    /// could still lose it.</remarks>
    internal const string Confirm =
        "case when current_setting('synchronous_standby_names') = '' then true else pg_logical_emit_message(true, 'taskrecovery', '') "
        + "is not null end";
}
