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

    public static void PeerFileIsUnreadable(this ILogger logger, string file, Guid nodeId)
        => SqliteLog.Guarded(() => LogPeerFileIsUnreadable(logger, file, nodeId));

    public static void OwnFileIsUnreadable(this ILogger logger, string file, TimeSpan after)
        => SqliteLog.Guarded(() => LogOwnFileIsUnreadable(logger, file, after));

    public static void TooManyOpenFiles(this ILogger logger, string file) => SqliteLog.Guarded(() => LogTooManyOpenFiles(logger, file));

    [LoggerMessage(5101, LogLevel.Warning, "File locks do not work beside '{File}' (the file system ignores them, "
        + "or DOTNET_SYSTEM_IO_DISABLEFILELOCKING is set): the lease alone decides whether node {NodeId} or, as it sees them, "
        + "other nodes are dead, so that the work of a killed process waits for the whole lease")]
    private static partial void LogLocksDoNotWork(ILogger logger, string file, Guid nodeId);

    [LoggerMessage(5102, LogLevel.Warning, "The database file is open to other users: {Exposure}")]
    private static partial void LogFileIsExposed(ILogger logger, string exposure);

    [LoggerMessage(5103, LogLevel.Warning, "'{File}', the heartbeat file of node {NodeId}, can't be read: that node is asked to store its "
        + "heartbeats in the database, where they wait for the write lock. Check the rights of the file and of its folder")]
    private static partial void LogPeerFileIsUnreadable(ILogger logger, string file, Guid nodeId);

    [LoggerMessage(5104, LogLevel.Warning, "Another node can't read '{File}', the heartbeat file of this node: the heartbeats of this node "
        + "are stored in the database, where they wait for the write lock. The file is tried again after {After}")]
    private static partial void LogOwnFileIsUnreadable(ILogger logger, string file, TimeSpan after);

    [LoggerMessage(5105, LogLevel.Warning, "The heartbeat files of other nodes beside '{File}' can't be opened, because this process or "
        + "the system has too many files open. This node only watches the nodes whose files it has open already, and can't declare others "
        + "dead. Raise the limit of open files (ulimit -n), or find out what leaves files open")]
    private static partial void LogTooManyOpenFiles(ILogger logger, string file);
}
