namespace TaskRecovery.PostgreSql;

/// <summary>Makes a read fail on a standby as a write does.</summary>
internal static class StandbySql
{
    /// <summary>Fails on a standby with the error of a write (SQLSTATE 25006); on a primary it returns no row. Sent before a read in the
    /// same round trip: then the snapshot of the read is younger than the proof that the server is a primary.</summary>
    /// <remarks>The id of a transaction is requested only on a standby, which can't assign one. On a primary, it would be written to the
    /// write-ahead log.</remarks>
    internal const string Refuse = "select pg_current_xact_id() where pg_is_in_recovery()";
}
