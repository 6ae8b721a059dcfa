using Microsoft.Extensions.Logging;

namespace TaskRecovery.Diagnostics;

/// <summary>Messages about the start-up hook, sweeps, reconciling and retention: 3050 to 3099.</summary>
internal static partial class Log
{
    [LoggerMessage(3050, LogLevel.Information, "Start-up: the store ({Store}) is ready")]
    public static partial void StorePrepared(this ILogger logger, string store);

    [LoggerMessage(3051, LogLevel.Warning, "Start-up: the store is not available; nothing is claimed until it is")]
    public static partial void WaitingForStore(this ILogger logger, Exception exception);

    [LoggerMessage(3052, LogLevel.Error, "Start-up: the store can't be used in its present state; "
        + "the start-up is repeated until that is fixed")]
    public static partial void StoreMisconfigured(this ILogger logger, Exception exception);

    [LoggerMessage(3053, LogLevel.Information, "Start-up recovery is complete. Entries that run again: {Recovered}; closed: {Closed}; "
        + "jobs planned: {Planned}. Claiming begins")]
    public static partial void StartupDone(this ILogger logger, int recovered, int closed, int planned);

    [LoggerMessage(3054, LogLevel.Warning, "Start-up: the work of a dead node could not be recovered; this node begins to work, "
        + "and the sweep for work of dead nodes repeats it")]
    public static partial void NotAllRecovered(this ILogger logger, Exception exception);

    [LoggerMessage(3055, LogLevel.Warning, "The work of a dead node can't be taken back for now, although its sweep succeeds: another "
        + "transaction holds the rows of its entries or tasks. It is taken back within seconds of the end of that transaction")]
    public static partial void WorkHeldBack(this ILogger logger);

    [LoggerMessage(3060, LogLevel.Information, "Task {TaskId} (entry {EntryId}, {Kind}) of node {Node} runs again, because {Cause}; "
        + "crashes counted: {Crashes}")]
    public static partial void RecoveredTask(
        this ILogger logger, Guid? taskId, long? entryId, string? kind, string? node, string cause, int crashes);

    [LoggerMessage(3061, LogLevel.Debug, "Entry {EntryId} ({Kind}) of node {Node} runs again, because {Cause}; crashes counted: {Crashes}")]
    public static partial void RecoveredEntry(
        this ILogger logger, long? entryId, string? kind, string? node, string cause, int crashes);

    [LoggerMessage(3062, LogLevel.Warning, "Closed task {TaskId} (entry {EntryId}, {Kind}) of node {Node}: {Reason}; "
        + "crashes counted: {Crashes}")]
    public static partial void ClosedTask(
        this ILogger logger, Guid? taskId, long? entryId, string? kind, string? node, string reason, int crashes);

    [LoggerMessage(3063, LogLevel.Information, "Recovery. Entries that run again: {Recovered}; closed: {Closed}")]
    public static partial void RecoveryDone(this ILogger logger, int recovered, int closed);

    [LoggerMessage(3064, LogLevel.Warning, "Ended entry {EntryId} ({Kind}) of node {Node}: {Reason}; crashes counted: {Crashes}")]
    public static partial void EndedEntry(this ILogger logger, long? entryId, string? kind, string? node, string reason, int crashes);

    [LoggerMessage(3070, LogLevel.Warning, "Released claims that the store made but this node never learned of: {Claims}; "
        + "their entries: {Entries}")]
    public static partial void ReleasedUnknownClaims(this ILogger logger, int entries, int claims);

    [LoggerMessage(3080, LogLevel.Warning, "{Loop} failed although the store has answered; it is repeated until it succeeds, "
        + "without further warnings")]
    public static partial void LoopFailed(this ILogger logger, string loop, Exception exception);

    [LoggerMessage(3081, LogLevel.Information, "{Loop} succeeded again")]
    public static partial void LoopWorksAgain(this ILogger logger, string loop);

    [LoggerMessage(3090, LogLevel.Warning, "A step of bulk operation {OperationId} failed; the other operations continue, and it is "
        + "repeated until it succeeds or is stopped, without further warnings")]
    public static partial void OperationFailed(this ILogger logger, long operationId, Exception exception);

    [LoggerMessage(3091, LogLevel.Warning, "Bulk operation {OperationId} waits, because another transaction keeps locked what it would "
        + "change next, for example a unique key; it is repeated until it succeeds or is stopped, without further warnings")]
    public static partial void OperationWaits(this ILogger logger, long operationId);
}
