using TaskRecovery.Workers;

namespace TaskRecovery;

/// <summary>Runs the tasks of a job. A new instance is created in its own dependency injection scope for every attempt.</summary>
/// <typeparam name="TArgs">The job's arguments.</typeparam>
public interface ITaskHandler<TArgs>
    where TArgs : notnull
{
    /// <summary>Runs one task. If the method returns, the task is completed. If it throws, the task is retried later, until its attempts
    /// are used up.</summary>
    /// <param name="context">The task, with methods to store progress and to end it other than by returning or throwing.</param>
    /// <param name="cancellationToken">Cancelled on shutdown, on a cancel request, on timeout and when the claim is lost;
    /// <see cref="WorkContext.StopReason"/> says why.</param>
    Task RunAsync(TaskContext<TArgs> context, CancellationToken cancellationToken);

    /// <summary>Returns the delay before the next attempt after <paramref name="exception"/>.</summary>
    /// <returns><see langword="null"/> for the default, an exponential backoff with jitter: see
    /// <see cref="WorkerOptions.RetryBase"/>.</returns>
    TimeSpan? NextRetry(TaskContext<TArgs> context, Exception exception) => null;
}

/// <summary>The task that a task handler runs, and the job that it belongs to.</summary>
/// <typeparam name="TArgs">The job's arguments.</typeparam>
public sealed class TaskContext<TArgs> : WorkContext<TArgs>
    where TArgs : notnull
{
    private readonly Job _job;
    private readonly TaskRecord _task;

    internal TaskContext(WorkRun run, TArgs args, Job job, TaskRecord task)
        : base(run, args)
    {
        _job = job;
        _task = task;
    }

    /// <summary>The id of the job.</summary>
    public Guid JobId => _job.Id;

    /// <summary>The name of the job.</summary>
    public string JobName => _job.Name;

    /// <summary>The id of the task. It stays the same when the task runs again after a crash or a failed attempt.</summary>
    public Guid TaskId => _task.Id;

    /// <summary>The due time for which the task was created; <see langword="null"/> if the run was triggered by
    /// <see cref="IJobService.TriggerNowAsync"/>.</summary>
    public DateTimeOffset? DueAt => _task.DueAt;
}

/// <summary>The arguments of an entry that runs a job.</summary>
/// <param name="JobId">The id of the job.</param>
/// <param name="TaskId">The id of the task to run again; <see langword="null"/> for a new run.</param>
public sealed record IntervalJobArgs(Guid JobId, Guid? TaskId);
