namespace TaskRecovery;

/// <summary>Reads and recovers tasks. A task is the stored record of one run of a job.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> if the database can't be reached or does not confirm a
/// write.</remarks>
public interface ITaskService
{
    /// <summary>Finds a task by id. Returns <see langword="null"/> if it does not exist.</summary>
    Task<TaskRecord?> GetAsync(Guid taskId, CancellationToken cancellationToken = default);

    /// <summary>Lists tasks, newest first. <see cref="TaskRecord.Result"/> is not read; use <see cref="GetAsync"/> for it.</summary>
    /// <param name="query">Which tasks, and which page of them; <see langword="null"/> for the newest ones.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentException">A condition of the query can't be met, or <see cref="TaskQuery.Limit"/> is out of
    /// range.</exception>
    Task<TaskPage> ListAsync(TaskQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>Lists a job's tasks that have not ended, oldest first.</summary>
    Task<IReadOnlyList<TaskRecord>> GetIncompleteTasksByJobIdAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Returns whether a task of the job is running.</summary>
    Task<bool> HasRunningTasksAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Returns the job's running task, or else its newest task that has not ended; <see langword="null"/> if there is
    /// none.</summary>
    Task<TaskRecord?> GetCurrentTaskAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Checks whether a task may still run: it exists, has not ended, its job exists and is not paused, and its crash limit is not
    /// exceeded.</summary>
    /// <remarks>A job that has ended does not make its task invalid.</remarks>
    Task<TaskValidity> IsTaskValidAsync(Guid taskId, CancellationToken cancellationToken = default);

    /// <summary>Recovers the work of dead nodes: every unfinished task is scheduled to run again, or is closed with a reason. Runs at
    /// start-up by itself; safe to call at any time. If the work of a node could not be recovered, the report has the error
    /// (<see cref="RecoveryReport.Failure"/>).</summary>
    /// <remarks>What it recovers is recorded as an event, with the application's name as the actor. To record a person and a reason, use
    /// <see cref="IQueueOperator.RecoverAsync"/>.</remarks>
    Task<RecoveryReport> RecoverRunningTasksAsync(CancellationToken cancellationToken = default);
}
