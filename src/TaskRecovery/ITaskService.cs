namespace TaskRecovery;

/// <summary>Tasks: the runs of jobs, each with a record.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the database can't be reached or did not confirm.</remarks>
public interface ITaskService
{
    /// <summary>Finds a task.</summary>
    Task<TaskRecord?> GetAsync(Guid taskId, CancellationToken cancellationToken = default);

    /// <summary>Lists a job's tasks, newest first, without their results: <see cref="GetAsync"/> reads a task's result.</summary>
    /// <param name="jobId">The job, or <see langword="null"/> for all.</param>
    /// <param name="state">Only this state, or <see langword="null"/> for all.</param>
    /// <param name="limit">How many at most, 1 to 1,000.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="limit"/> is not 1 to 1,000.</exception>
    Task<IReadOnlyList<TaskRecord>> ListAsync(Guid? jobId = null, TaskState? state = null, int limit = 100, CancellationToken cancellationToken = default);

    /// <summary>A job's tasks that have not ended, oldest first.</summary>
    Task<IReadOnlyList<TaskRecord>> GetIncompleteTasksByJobIdAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Whether a task of the job is running.</summary>
    Task<bool> HasRunningTasksAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>The job's running task, or the newest that has not ended; <see langword="null"/> if there is none.</summary>
    Task<TaskRecord?> GetCurrentTaskAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Whether a task may still run: it exists, is not finished, its job is active, and it has not crashed too often.</summary>
    Task<TaskValidity> IsTaskValidAsync(Guid taskId, CancellationToken cancellationToken = default);

    /// <summary>Takes back the work of dead nodes and makes every unfinished task run again or end with a reason. Runs at start-up by itself; safe to call at any time.</summary>
    Task<RecoveryReport> RecoverRunningTasksAsync(CancellationToken cancellationToken = default);
}

/// <summary>What a recovery did.</summary>
/// <param name="Items">One line for each entry or task it touched.</param>
public sealed record RecoveryReport(IReadOnlyList<RecoveryItem> Items)
{
    /// <summary>A report of nothing.</summary>
    public static RecoveryReport Empty { get; } = new([]);

    /// <summary>How many run again.</summary>
    public int Recovered => Items.Count(item => item.Action == RecoveryAction.Recovered);

    /// <summary>How many were ended.</summary>
    public int Closed => Items.Count(item => item.Action == RecoveryAction.Closed);
}

/// <summary>What a recovery did with one entry or task.</summary>
public sealed record RecoveryItem
{
    /// <summary>What was done.</summary>
    public required RecoveryAction Action { get; init; }

    /// <summary>The entry; <see langword="null"/> for a task without one.</summary>
    public long? EntryId { get; init; }

    /// <summary>The task, where the entry is a task's.</summary>
    public Guid? TaskId { get; init; }

    /// <summary>The entry's kind.</summary>
    public string? Kind { get; init; }

    /// <summary>The dead node that had it, by name or id.</summary>
    public string? Node { get; init; }

    /// <summary>How often a node has died under it.</summary>
    public int Crashes { get; init; }

    /// <summary>Why it was closed (see <see cref="EndReasons"/>).</summary>
    public string? Reason { get; init; }
}

/// <summary>What a recovery did with one entry or task.</summary>
public enum RecoveryAction
{
    /// <summary>It runs again.</summary>
    Recovered = 0,

    /// <summary>It was ended.</summary>
    Closed = 1,
}
