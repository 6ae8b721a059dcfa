using Microsoft.Extensions.Logging;
using TaskRecovery.Storage;

namespace TaskRecovery.Diagnostics;

/// <summary>Messages about jobs and tasks: 4xxx.</summary>
internal static partial class Log
{
    [LoggerMessage(4001, LogLevel.Information, "Job {JobName} ({JobId}) is declared: {Schedule}, next run {NextRun}")]
    public static partial void JobDeclared(this ILogger logger, string jobName, Guid jobId, Schedule schedule, DateTimeOffset? nextRun);

    [LoggerMessage(4002, LogLevel.Information, "Planned the next runs of jobs that had none; jobs planned: {Count}")]
    public static partial void JobsRecovered(this ILogger logger, int count);

    [LoggerMessage(4003, LogLevel.Debug, "A run of job {JobId} (entry {EntryId}) does not start: {Decision} {Reason}")]
    public static partial void RunSkipped(this ILogger logger, Guid jobId, long entryId, TaskStartDecision decision, string? reason);

    [LoggerMessage(4004, LogLevel.Information, "Task {TaskId} of job {JobName} runs again as attempt {Attempt}; "
        + "crashes counted: {Crashes}")]
    public static partial void TaskResumed(this ILogger logger, Guid taskId, string jobName, int attempt, int crashes);

    [LoggerMessage(4005, LogLevel.Warning,
        "This process does not declare jobs that {Application} declared before ({Count}): {JobNames}. They keep running on their "
        + "schedules. If no version of the code declares them any more, delete them (IJobService.DeleteAsync)")]
    public static partial void JobsOrphaned(this ILogger logger, int count, string application, string jobNames);

    [LoggerMessage(4006, LogLevel.Warning, "This node does not plan job {JobName}: {Problem} Another node that can do so plans it")]
    public static partial void JobUnplannable(this ILogger logger, string jobName, string problem);

    [LoggerMessage(4007, LogLevel.Information, "Planned the next runs of cron jobs anew, because the rules of their time zones "
        + "have changed; jobs planned: {Count}")]
    public static partial void PlansCorrected(this ILogger logger, int count);

    [LoggerMessage(4008, LogLevel.Warning, "Deleted job {JobName}, which {Application} no longer declares "
        + "(TaskRecoveryOptions.OrphanedJobs)")]
    public static partial void OrphanDeleted(this ILogger logger, string jobName, string application);

    [LoggerMessage(4009, LogLevel.Warning, "Missed runs of job {JobName} are not made up for ({Count}): they are more than its "
        + "CatchUpLimit, or too old for its CatchUpWithin or ExpiresAfter, or from before its definition was changed")]
    public static partial void RunsDropped(this ILogger logger, string jobName, int count);

    [LoggerMessage(4010, LogLevel.Warning, "Job {JobName} is not stored as this process declares it, because another transaction has "
        + "locked it; this is repeated with the recovery of jobs, unless another process declares or deletes the job meanwhile")]
    public static partial void JobNotDeclared(this ILogger logger, string jobName, Exception exception);

    [LoggerMessage(4011, LogLevel.Warning, "Job {JobName}, which {Application} no longer declares, is not deleted, because another "
        + "transaction has locked it; the next process that starts tries again")]
    public static partial void OrphanNotDeleted(this ILogger logger, string jobName, string application, Exception exception);

    [LoggerMessage(4012, LogLevel.Warning, "Some jobs are not stored yet as this process declares them ({Count}): other transactions have "
        + "locked as many jobs as a round tries ({Locked}). The next recovery of jobs begins with those that were not tried")]
    public static partial void DeclarationsNotTried(this ILogger logger, int count, int locked);

    [LoggerMessage(4013, LogLevel.Warning, "Job {JobName} was locked when this process started, and another process has declared or "
        + "deleted it since. This process leaves it as it is; its own declaration counts at its next start")]
    public static partial void DeclarationDropped(this ILogger logger, string jobName);
}
