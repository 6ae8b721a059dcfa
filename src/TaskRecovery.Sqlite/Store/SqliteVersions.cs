namespace TaskRecovery.Sqlite;

/// <summary>What is known of releases of SQLite, by their numbers (3051003 is 3.51.3).</summary>
internal static class SqliteVersions
{
    /// <summary>Whether a release can damage a file when one connection resets the log while another one checkpoints it.</summary>
    /// <remarks>In all releases with a write-ahead log up to 3.51.2; fixed in 3.51.3, and in two older branches.</remarks>
    public static bool HasWalResetBug(int version) => version switch
    {
        >= 3_051_003 => false,
        >= 3_050_007 and < 3_051_000 => false,
        >= 3_044_006 and < 3_045_000 => false,
        _ => true,
    };

    /// <summary>A number as people write it.</summary>
    public static string ToText(int version) => $"{version / 1_000_000}.{version / 1000 % 1000}.{version % 1000}";
}
