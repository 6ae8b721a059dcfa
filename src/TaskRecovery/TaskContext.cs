using TaskRecovery.Workers;

namespace TaskRecovery;

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

    /// <summary>Whether the run makes up for a missed run, because the due time after it had passed too when it started, or was requested
    /// with <see cref="IJobService.BackfillAsync"/>. A run that makes up for several missed runs
    /// (<see cref="MissedRunPolicy.RunOnce"/>) has the due time of the first of them.</summary>
    public bool IsCatchUp => _task.IsCatchUp;
}
