using TaskRecovery.Workers;

namespace TaskRecovery;

/// <summary>Runs the tasks of a job. Created in a dependency injection scope of its own for every attempt.</summary>
/// <typeparam name="TArgs">The job's arguments.</typeparam>
public interface ITaskHandler<TArgs>
    where TArgs : notnull
{
    /// <summary>Does one run. Returning completes the task; throwing lets it be tried again later, up to its attempts.</summary>
    /// <param name="context">The task, its steps and its checkpoint.</param>
    /// <param name="cancellationToken">Fires on shutdown, cancel, timeout and a lost claim; <see cref="WorkContext.StopReason"/> says which.</param>
    Task RunAsync(TaskContext<TArgs> context, CancellationToken cancellationToken);

    /// <summary>How long to wait before the next attempt after <paramref name="exception"/>.</summary>
    /// <returns><see langword="null"/> for the default: exponential with jitter.</returns>
    TimeSpan? NextRetry(TaskContext<TArgs> context, Exception exception) => null;
}

/// <summary>What a task handler knows of the task that it runs.</summary>
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

    /// <summary>The job.</summary>
    public Guid JobId => _job.Id;

    /// <summary>The job's name.</summary>
    public string JobName => _job.Name;

    /// <summary>The task: the same one when it runs again after a crash or a failure.</summary>
    public Guid TaskId => _task.Id;

    /// <summary>The due time this task was created for; <see langword="null"/> for a run triggered by hand.</summary>
    public DateTimeOffset? DueAt => _task.DueAt;
}

/// <summary>The arguments of an entry that runs a job.</summary>
/// <param name="JobId">The job.</param>
/// <param name="TaskId">The task to run again; <see langword="null"/> for a new run.</param>
public sealed record IntervalJobArgs(Guid JobId, Guid? TaskId);
