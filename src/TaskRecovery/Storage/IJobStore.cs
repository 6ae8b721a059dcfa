using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What jobs and tasks need of a store. Overlap check, task, binding and next run are one transaction under the job's row lock.</summary>
[Experimental("TASKRECOVERY001")]
public interface IJobStore
{
    /// <summary>Creates a job or changes the one with this name, and plans its next run (an entry in the queue with its due time). With the definition that is stored already it changes nothing.</summary>
    /// <remarks>When a run is due says <see cref="JobPlanning"/>. A planned entry that another takes the place of, and that of a job that is paused or deleted, ends in the
    /// same transaction, also if a node has claimed it: under that claim's fence.</remarks>
    Task<Job> UpsertAsync(NewJob job, CancellationToken cancellationToken);

    /// <summary>Finds a job by id.</summary>
    Task<Job?> FindAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>Finds a job by name.</summary>
    Task<Job?> FindByNameAsync(string name, CancellationToken cancellationToken);

    /// <summary>Lists jobs by name.</summary>
    Task<IReadOnlyList<Job>> ListAsync(CancellationToken cancellationToken);

    /// <summary>The names of the jobs that an application declares in its code and that have not ended (see <see cref="Job.DeclaredBy"/>).</summary>
    Task<IReadOnlyList<string>> ListDeclaredAsync(string application, CancellationToken cancellationToken);

    /// <summary>Pauses or resumes a job; resuming plans the next due time.</summary>
    Task<bool> SetPausedAsync(Guid jobId, bool paused, CancellationToken cancellationToken);

    /// <summary>Deletes a job, its planned entry, and requests the cancel of its unfinished tasks' entries.</summary>
    Task<bool> DeleteAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>Enqueues a run of a job now.</summary>
    /// <returns>The entry; <see langword="null"/> if there is no such job or it is not active.</returns>
    Task<long?> TriggerAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>Plans the next run of every active job that has none. A row that can't be planned (written by hand, or by the system before this one) holds up none of the others.</summary>
    Task<int> RecoverJobsAsync(CancellationToken cancellationToken);

    /// <summary>Starts the run that an entry stands for: finds the task bound to the entry, or creates and binds one, or says why not. Plans the job's next run when the entry was the planned one.</summary>
    /// <remarks>Safe to repeat after a lost answer: under the same claim with the same answer. A job that has ended does not stop the task of its single run from being recovered.
    /// A new run (no task named or bound) that is not to start is skipped for good: its entry ends as cancelled, with the reason, in the same transaction. Judged once more it might
    /// run, because the plan has moved on. A planned run that a change of its job, a pause or a deletion has ended while its node held it answers with that outcome.
    /// What the node says of that run later, under the same claim, is accepted as a repetition: that it is cancelled, or, without an answer, that it is put back.</remarks>
    Task<TaskStart> StartTaskAsync(TaskStartRequest request, CancellationToken cancellationToken);

    /// <summary>Finds a task.</summary>
    Task<TaskRecord?> FindTaskAsync(Guid taskId, CancellationToken cancellationToken);

    /// <summary>Lists tasks, newest first.</summary>
    Task<IReadOnlyList<TaskRecord>> ListTasksAsync(Guid? jobId, TaskState? state, int limit, CancellationToken cancellationToken);

    /// <summary>A job's tasks that have not ended, oldest first.</summary>
    Task<IReadOnlyList<TaskRecord>> ListIncompleteTasksAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>Gives every unfinished task without an entry a recovery entry, and closes every unfinished task whose entry has ended, or that is older than <paramref name="maxAge"/> and has no entry.</summary>
    Task<RecoveryReport> RecoverTasksAsync(TimeSpan maxAge, int maxCrashes, CancellationToken cancellationToken);
}

/// <summary>A job to create or change.</summary>
/// <param name="Definition">What the user said.</param>
/// <param name="Kind">The task handler's kind.</param>
/// <param name="EntryKind">The kind of its entries.</param>
/// <param name="Args">The arguments: JSON in UTF-8.</param>
/// <param name="MaxAttempts">How often a run is tried.</param>
/// <param name="DeclaredBy">The application that declares it in its code; <see langword="null"/> leaves what is stored.</param>
[Experimental("TASKRECOVERY001")]
public sealed record NewJob(JobDefinition Definition, string Kind, string EntryKind, ReadOnlyMemory<byte> Args, int MaxAttempts, string? DeclaredBy = null);

/// <summary>An entry that stands for a run.</summary>
/// <param name="NodeId">The node that works it.</param>
/// <param name="EntryId">The entry.</param>
/// <param name="Fence">The claim it is worked under.</param>
/// <param name="JobId">The job.</param>
/// <param name="TaskId">The task to run again; <see langword="null"/> for a new run.</param>
/// <param name="Attempt">The attempt's number.</param>
/// <param name="EntryKind">The entry's kind, which chose the handler. If the job has another kind by now, its arguments are not this handler's, and the run does not start.</param>
[Experimental("TASKRECOVERY001")]
public sealed record TaskStartRequest(Guid NodeId, long EntryId, long Fence, Guid JobId, Guid? TaskId, int Attempt, string EntryKind);

/// <summary>Whether a run starts.</summary>
/// <param name="Decision">What to do.</param>
/// <param name="Task">The task, running, when it starts.</param>
/// <param name="Job">Its job.</param>
/// <param name="Reason">Why it does not start (see <see cref="EndReasons"/>).</param>
[Experimental("TASKRECOVERY001")]
public sealed record TaskStart(TaskStartDecision Decision, TaskRecord? Task, Job? Job, string? Reason);

/// <summary>Whether a run starts.</summary>
[Experimental("TASKRECOVERY001")]
public enum TaskStartDecision
{
    /// <summary>A new task.</summary>
    Started = 0,

    /// <summary>A task that ran before.</summary>
    Recovered = 1,

    /// <summary>The entry ends as cancelled, with the reason; that of a new run has ended so with this answer.</summary>
    Skip = 2,

    /// <summary>The entry is no longer its task's, or its job has another plan or another kind by now.</summary>
    Superseded = 3,

    /// <summary>The claim is no longer the node's.</summary>
    ClaimLost = 4,

    /// <summary>Not yet: the run was missed, its job runs missed ones one after the other, and the one before goes on. The entry is snoozed.</summary>
    Wait = 5,
}
