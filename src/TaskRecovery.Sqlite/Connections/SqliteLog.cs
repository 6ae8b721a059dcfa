using Microsoft.Extensions.Logging;

namespace TaskRecovery.Sqlite;

/// <summary>Log messages of the SQLite store: 5001 to 5049. An exception from a logger must not end the writer thread.</summary>
internal static partial class SqliteLog
{
    public static void WriteLockAwaited(
        this ILogger logger, string call, int count, TimeSpan waited, string file, string holder, string advice)
        => Guarded(() => LogWriteLockAwaited(logger, call, count, waited, file, holder, advice));

    public static void WriteLockTaken(this ILogger logger, string file, TimeSpan waited)
        => Guarded(() => LogWriteLockTaken(logger, file, waited));

    public static void LargeLog(this ILogger logger, string file, int megabytes, string reason)
        => Guarded(() => LogLargeLog(logger, file, megabytes, reason));

    public static void CheckpointFailed(this ILogger logger, string file, Exception exception)
        => Guarded(() => LogCheckpointFailed(logger, file, exception));

    [LoggerMessage(5001, LogLevel.Warning, "The write lock of '{File}' is held by {Holder}. Writes that wait for it: {Count}, the longest "
        + "({Call}) for {Waited}. {Advice}")]
    private static partial void LogWriteLockAwaited(
        ILogger logger, string call, int count, TimeSpan waited, string file, string holder, string advice);

    [LoggerMessage(5002, LogLevel.Information, "The write lock of '{File}' was taken after {Waited}")]
    private static partial void LogWriteLockTaken(ILogger logger, string file, TimeSpan waited);

    [LoggerMessage(5003, LogLevel.Warning, "The write-ahead log of '{File}' has grown to {Megabytes} MB: {Reason}")]
    private static partial void LogLargeLog(ILogger logger, string file, int megabytes, string reason);

    [LoggerMessage(5004, LogLevel.Warning, "The write-ahead log of '{File}' could not be copied into the file; "
        + "it is tried again after the next writes")]
    private static partial void LogCheckpointFailed(ILogger logger, string file, Exception exception);

    /// <summary>Logs, and swallows the exception of a logger.</summary>
    internal static void Guarded(Action log)
    {
        try
        {
            log();
        }
#pragma warning disable CA1031 // A logger may throw anything, and its failure cannot be logged.
        catch (Exception)
#pragma warning restore CA1031
        {
            // Ignore the failure: the write is more important than its log message.
        }
    }
}
