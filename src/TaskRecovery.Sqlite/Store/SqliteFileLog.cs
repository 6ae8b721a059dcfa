using Microsoft.Extensions.Logging;

namespace TaskRecovery.Sqlite;

/// <summary>Log messages about the database file and the lock files: 5101 to 5149.</summary>
internal static partial class SqliteFileLog
{
    [LoggerMessage(5101, LogLevel.Warning, "File locks do not work beside '{File}' (the file system ignores them, "
        + "or DOTNET_SYSTEM_IO_DISABLEFILELOCKING is set): the lease alone decides whether node {NodeId} or, as it sees them, "
        + "other nodes are dead, so that the work of a killed process waits for the whole lease")]
    public static partial void LocksDoNotWork(this ILogger logger, string file, Guid nodeId);

    [LoggerMessage(5102, LogLevel.Warning, "The database file is open to other users: {Exposure}")]
    public static partial void FileIsExposed(this ILogger logger, string exposure);

    [LoggerMessage(5103, LogLevel.Warning, "SQLite {Version} can damage a file that two connections write and checkpoint at the same "
        + "instant. Use 3.51.3 or later (SQLitePCLRaw.bundle_e_sqlite3 3.0.5 brings one); until then only one process may use '{File}'")]
    public static partial void SqliteIsTooOld(this ILogger logger, string version, string file);
}
