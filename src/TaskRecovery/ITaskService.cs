namespace TaskRecovery;

/// <summary>Reads and recovers tasks. A task is the stored record of one run of a job.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> if the database can't be reached or does not confirm a
/// write.</remarks>
public interface ITaskService
{
    /// <summary>Finds a task by id. Returns <see langword="null"/> if it does not exist.</summary>
    Task<TaskRecord?> GetAsync(Guid taskId, CancellationToken cancellationToken = default);

    /// <summary>Lists a job's tasks, newest first. <see cref="TaskRecord.Result"/> is not read; use <see cref="GetAsync"/> for
    /// it.</summary>
    /// <param name="jobId">The id of the job, or <see langword="null"/> for all jobs.</param>
    /// <param name="state">The state to list, or <see langword="null"/> for all states.</param>
    /// <param name="limit">The maximum number of tasks, 1 to 1,000.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="limit"/> is not 1 to 1,000.</exception>
    Task<IReadOnlyList<TaskRecord>> ListAsync(Guid? jobId = null, TaskState? state = null, int limit = 100, CancellationToken cancellationToken = default);

    /// <summary>Lists a job's tasks that have not ended, oldest first.</summary>
    Task<IReadOnlyList<TaskRecord>> GetIncompleteTasksByJobIdAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Returns whether a task of the job is running.</summary>
    Task<bool> HasRunningTasksAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Returns the job's running task, or else its newest task that has not ended; <see langword="null"/> if there is
    /// none.</summary>
    Task<TaskRecord?> GetCurrentTaskAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Checks whether a task may still run: it exists, has not ended, its job is active, and its crash limit is not
    /// exceeded.</summary>
    Task<TaskValidity> IsTaskValidAsync(Guid taskId, CancellationToken cancellationToken = default);

    /// <summary>Recovers the work of dead nodes: every unfinished task is scheduled to run again, or is closed with a reason. Runs at
    /// start-up by itself; safe to call at any time.</summary>
    Task<RecoveryReport> RecoverRunningTasksAsync(CancellationToken cancellationToken = default);
}

/// <summary>The result of a recovery.</summary>
/// <param name="Items">One item for each entry or task that the recovery changed.</param>
public sealed record RecoveryReport(IReadOnlyList<RecoveryItem> Items)
{
    /// <summary>A report without items.</summary>
    public static RecoveryReport Empty { get; } = new([]);

    /// <summary>The number of items that run again.</summary>
    public int Recovered => Items.Count(item => item.Action == RecoveryAction.Recovered);

    /// <summary>The number of items that were closed.</summary>
    public int Closed => Items.Count(item => item.Action == RecoveryAction.Closed);
}

/// <summary>An entry or task that a recovery changed.</summary>
public sealed record RecoveryItem
{
    /// <summary>The action that the recovery took.</summary>
    public required RecoveryAction Action { get; init; }

    /// <summary>The id of the entry; <see langword="null"/> for a task without an entry.</summary>
    public long? EntryId { get; init; }

    /// <summary>The id of the task; <see langword="null"/> if the entry does not run a task.</summary>
    public Guid? TaskId { get; init; }

    /// <summary>The kind of the entry; <see langword="null"/> if not known.</summary>
    public string? Kind { get; init; }

    /// <summary>The name or id of the dead node that held the claim; <see langword="null"/> if there was none.</summary>
    public string? Node { get; init; }

    /// <summary>The number of node crashes while the entry was running, since it last made progress.</summary>
    public int Crashes { get; init; }

    /// <summary>The reason why the item was closed; <see langword="null"/> if it runs again (see <see cref="EndReasons"/>).</summary>
    public string? Reason { get; init; }
}

/// <summary>What a recovery did with an entry or task.</summary>
public enum RecoveryAction
{
    /// <summary>The entry or task runs again.</summary>
    Recovered = 0,

    /// <summary>The entry or task was ended.</summary>
    Closed = 1,
}
