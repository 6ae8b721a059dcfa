using Microsoft.Extensions.Logging;
using TaskRecovery.Hosting;

namespace TaskRecovery.Diagnostics;

/// <summary>Messages about queues (1xxx) and workers (2xxx).</summary>
internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Information, "Serving queue {Queue} with concurrency {Concurrency}; kinds: {Kinds}")]
    public static partial void QueueStarted(this ILogger logger, string queue, int concurrency, string kinds);

    [LoggerMessage(1002, LogLevel.Warning, "The store is not available: {Loop} failed first. Every loop repeats its calls until the "
        + "store is back, without further warnings")]
    public static partial void StoreLost(this ILogger logger, string loop, Exception exception);

    [LoggerMessage(1003, LogLevel.Information, "The store is available again after {Duration}: {Loop} succeeded last")]
    public static partial void StoreBack(this ILogger logger, string loop, TimeSpan duration);

    [LoggerMessage(1004, LogLevel.Warning, "Entries of the kind {Kind} wait in a queue of this node, which has no worker for it. "
        + "They wait for a node that has one: register it where the queue is served (AddWorker, AddTaskHandler), or cancel the entries")]
    public static partial void UnknownKind(this ILogger logger, string kind);

    [LoggerMessage(1005, LogLevel.Debug, "Claimed entries of queue {Queue} as claim {Fence}: {Count}")]
    public static partial void Claimed(this ILogger logger, string queue, int count, long fence);

    [LoggerMessage(2001, LogLevel.Warning, "Attempt {Attempt} of {MaxAttempts} at entry {EntryId} ({Kind}) failed; "
        + "it is retried in {Delay}")]
    public static partial void AttemptFailed(
        this ILogger logger, long entryId, string kind, int attempt, int maxAttempts, TimeSpan delay, Exception exception);

    [LoggerMessage(2002, LogLevel.Error, "Entry {EntryId} ({Kind}) failed at attempt {Attempt} and is not retried ({Reason}): {Error}")]
    public static partial void EntryFailed(this ILogger logger, long entryId, string kind, int attempt, string? reason, string? error);

    [LoggerMessage(2003, LogLevel.Warning, "The claim {Fence} of entry {EntryId} ({Kind}) was lost: its result is discarded. "
        + "It runs elsewhere, or has ended")]
    public static partial void ClaimLost(this ILogger logger, long entryId, string kind, long fence);

    [LoggerMessage(2004, LogLevel.Warning,
        "The handler of entry {EntryId} ({Kind}) has ignored cancellation ({Reason}) for {Since}; "
        + "it occupies a concurrency slot until it returns")]
    public static partial void HandlerUnresponsive(this ILogger logger, long entryId, string kind, TimeSpan since, StopReason reason);

    [LoggerMessage(2005, LogLevel.Error, "The store refused the result or the error's text of entry {EntryId} ({Kind}): "
        + "the outcome is stored without it")]
    public static partial void OutcomeRefused(this ILogger logger, long entryId, string kind, Exception exception);

    [LoggerMessage(2006, LogLevel.Information, "Stopping. Entries that are running: {Running}; released before they started: {Waiting}")]
    public static partial void Draining(this ILogger logger, int running, int waiting);

    [LoggerMessage(2007, LogLevel.Warning, "ShutdownTimeout has passed: the tokens of running handlers ({Running}) are cancelled; the "
        + "entries of handlers that throw are released")]
    public static partial void CancellingForShutdown(this ILogger logger, int running);

    [LoggerMessage(2008, LogLevel.Warning, "Disposing of the scope of entry {EntryId} ({Kind}) failed; "
        + "how the entry ended does not change")]
    public static partial void ScopeFailed(this ILogger logger, long entryId, string kind, Exception exception);

    [LoggerMessage(2009, LogLevel.Warning, "Outcomes could not be stored before the process stops ({Count}); "
        + "the entries run again, on another node or after the next start")]
    public static partial void OutcomesLeft(this ILogger logger, int count);

    [LoggerMessage(2010, LogLevel.Warning, "The handler of entry {EntryId} ({Kind}) returned normally after its token had been cancelled "
        + "({Reason}): the entry is completed. Throw to have it run again")]
    public static partial void CompletedAfterCancel(this ILogger logger, long entryId, string kind, StopReason reason);

    [LoggerMessage(2011, LogLevel.Error, "Entry {EntryId} ({Kind}) could not be run because of an error outside its handler; "
        + "an attempt is spent")]
    public static partial void RunBroken(this ILogger logger, long entryId, string kind, Exception exception);

    [LoggerMessage(2012, LogLevel.Error, "The row of entry {EntryId} can't be read ({Problem}): the entry ends as failed")]
    public static partial void EntryUnreadable(this ILogger logger, long entryId, string problem);

    [LoggerMessage(2013, LogLevel.Error, "The store refuses the outcome of entry {EntryId} ({Kind}) even without its text: "
        + "it is discarded, and the entry is released later")]
    public static partial void OutcomeNotStorable(this ILogger logger, long entryId, string kind, Exception exception);

    [LoggerMessage(2014, LogLevel.Warning, "A run of entry {EntryId} ({Kind}) ended because the store could not be used; "
        + "the entry is released without spending an attempt and runs again in {Delay}")]
    public static partial void StoreFailedRun(this ILogger logger, long entryId, string kind, TimeSpan delay, Exception exception);

    [LoggerMessage(2015, LogLevel.Warning,
        "At a stop the host waits {HostLimit} for its services, which is less than ShutdownTimeout ({ShutdownTimeout}) and the {Rest} "
        + "that cancelling "
        + "and storing may take: running entries may be cut off. Raise HostOptions.ShutdownTimeout, "
        + "or lower TaskRecoveryOptions.ShutdownTimeout")]
    public static partial void HostLimitTooShort(this ILogger logger, TimeSpan hostLimit, TimeSpan shutdownTimeout, TimeSpan rest);
}
