namespace TaskRecovery.Sqlite;

/// <summary>Known problems of SQLite releases, which are given by number (3051003 is 3.51.3).</summary>
internal static class SqliteVersions
{
    /// <summary>Returns whether a release can damage a file when one connection resets the log while another one runs a
    /// checkpoint.</summary>
    /// <remarks>Affects all releases with a write-ahead log up to 3.51.2; fixed in 3.51.3 and in two older branches.</remarks>
    public static bool HasWalResetBug(int version) => version switch
    {
        >= 3_051_003 => false,
        >= 3_050_007 and < 3_051_000 => false,
        >= 3_044_006 and < 3_045_000 => false,
        _ => true,
    };

    /// <summary>Formats a version number for messages.</summary>
    public static string ToText(int version) => $"{version / 1_000_000}.{version / 1000 % 1000}.{version % 1000}";
}
