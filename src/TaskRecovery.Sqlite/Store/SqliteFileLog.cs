using Microsoft.Extensions.Logging;

namespace TaskRecovery.Sqlite;

/// <summary>Log messages about the database file and the lock files: 5101 to 5149. An exception from a logger must not end a
/// start.</summary>
internal static partial class SqliteFileLog
{
    public static void LocksDoNotWork(this ILogger logger, string file, Guid nodeId)
        => SqliteLog.Guarded(() => LogLocksDoNotWork(logger, file, nodeId));

    public static void FileIsExposed(this ILogger logger, string exposure)
        => SqliteLog.Guarded(() => LogFileIsExposed(logger, exposure));

    [LoggerMessage(5101, LogLevel.Warning, "File locks do not work beside '{File}' (the file system ignores them, "
        + "or DOTNET_SYSTEM_IO_DISABLEFILELOCKING is set): the lease alone decides whether node {NodeId} or, as it sees them, "
        + "other nodes are dead, so that the work of a killed process waits for the whole lease")]
    private static partial void LogLocksDoNotWork(ILogger logger, string file, Guid nodeId);

    [LoggerMessage(5102, LogLevel.Warning, "The database file is open to other users: {Exposure}")]
    private static partial void LogFileIsExposed(ILogger logger, string exposure);
}
