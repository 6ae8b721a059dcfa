using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The storage of jobs and tasks. The start of a run (overlap check, task, binding to the entry, next run) is one transaction
/// under the job's row lock. Every action stores its event in its own transaction.</summary>
[Experimental("TASKRECOVERY001")]
public interface IJobStore
{
    /// <summary>Creates a job, or updates the job with this name, and plans its next run as an entry with the due time. If the stored
    /// definition is the same, nothing changes.</summary>
    /// <remarks><see cref="JobPlanning"/> decides when a run is due. If a planned entry is replaced, or its job is paused or deleted, the
    /// entry ends in the same transaction, even if a node has claimed it; it then ends under the fence of that claim.</remarks>
    Task<Job> UpsertAsync(NewJob job, CancellationToken cancellationToken);

    /// <summary>Does what <see cref="UpsertAsync"/> does for each of these jobs, whose names differ. Jobs that do not exist yet share
    /// transactions.</summary>
    /// <returns>The stored jobs, in the same order.</returns>
    Task<IReadOnlyList<Job>> UpsertManyAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken);

    /// <summary>Finds a job by id.</summary>
    Task<Job?> FindAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>Finds a job by name.</summary>
    Task<Job?> FindByNameAsync(string name, CancellationToken cancellationToken);

    /// <summary>Lists a page of jobs by name. The query has no <see cref="JobQuery.NameContains"/>.</summary>
    Task<JobPage> ListAsync(JobQuery query, CancellationToken cancellationToken);

    /// <summary>Lists the jobs that an application declares in its code and that have not ended (see
    /// <see cref="Job.DeclaredBy"/>).</summary>
    Task<IReadOnlyList<DeclaredJob>> ListDeclaredAsync(string application, CancellationToken cancellationToken);

    /// <summary>Stores that an application no longer declares these jobs (see <see cref="Job.OrphanedAt"/>). Skips jobs that another
    /// application declares by now or another transaction has locked.</summary>
    Task SetOrphanedAsync(string application, IReadOnlyList<string> names, CancellationToken cancellationToken);

    /// <summary>As <see cref="DeleteAsync"/>, if the job is still an orphan of this application and has been one for long enough.</summary>
    /// <param name="application">The application that declared the job.</param>
    /// <param name="name">The name of the job.</param>
    /// <param name="orphanedFor">How long it must have been an orphan.</param>
    /// <param name="audit">Who does it.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns><see langword="false"/> if nothing was deleted.</returns>
    Task<bool> DeleteOrphanAsync(
        string application, string name, TimeSpan orphanedFor, AuditInfo audit, CancellationToken cancellationToken);

    /// <summary>Pauses a job and ends its planned entry. If the job is paused already, the reason and the end of the pause
    /// change.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="pause">The pause: who, why and until when. The store sets when it began, and refuses an end that is over
    /// (<see cref="PauseRules.CheckEnd"/>).</param>
    /// <param name="audit">Who does it.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns><see langword="false"/> if there is no such job, or it has ended. It ends with this call if its last run was
    /// cancelled.</returns>
    Task<bool> PauseAsync(Guid jobId, PauseInfo pause, AuditInfo audit, CancellationToken cancellationToken);

    /// <summary>Resumes a paused job, plans its next run, and makes the requested runs due that wait for the end of the pause.</summary>
    /// <remarks>Whatever ends a pause makes these runs due: also its time, a change or the deletion of the job.</remarks>
    /// <returns><see cref="OperatorResult.Done"/>, <see cref="OperatorResult.NotFound"/> or
    /// <see cref="OperatorResult.NotPaused"/>.</returns>
    Task<OperatorResult> ResumeAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken);

    /// <summary>Deletes a job, ends its planned entry, and requests cancellation of the entries of its unfinished tasks. Returns
    /// <see langword="false"/> if there is no such job.</summary>
    Task<bool> DeleteAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken);

    /// <summary>Enqueues a run of a job that is due now.</summary>
    /// <returns>The id of the entry; <see langword="null"/> if the job does not exist or is not active.</returns>
    Task<long?> TriggerAsync(Guid jobId, OverlapPolicy? overlap, AuditInfo audit, CancellationToken cancellationToken);

    /// <summary>Enqueues a run for each of these due times that has no task yet. Enqueues nothing if the job does not exist or is not
    /// active.</summary>
    /// <returns>The number of runs.</returns>
    Task<int> BackfillAsync(Guid jobId, IReadOnlyList<DateTimeOffset> dues, AuditInfo audit, CancellationToken cancellationToken);

    /// <summary>Resumes the jobs whose pause has ended, and plans the next run of every active job that has none. A row that can't be
    /// planned (for example one written by hand or by a previous system) is skipped and does not block the others. Reports the jobs whose
    /// planned run is overdue, too.</summary>
    Task<JobRecovery> RecoverJobsAsync(CancellationToken cancellationToken);

    /// <summary>Plans the next run of every cron job anew whose planned run is no longer a due time, because the rules of its time zone
    /// have changed, or was planned while the clock was far ahead (<see cref="JobPlanning.Correct"/>). Called at start-up.</summary>
    Task<JobRecovery> CorrectPlansAsync(CancellationToken cancellationToken);

    /// <summary>Starts the run of an entry: finds the task bound to the entry, or creates and binds one, or returns why the run does not
    /// start. If the entry is the planned one, plans the job's next run.</summary>
    /// <remarks>Safe to repeat after a lost answer: under the same claim, the result is the same. If the job has ended, the task of its
    /// single run can still be recovered. If a new run (no task named or bound) must not start, its entry ends as cancelled, with the
    /// reason, in the same transaction. It is never evaluated again, because by then the plan has changed and the run might start. If a
    /// change, pause or deletion of the job has ended a planned entry while a node held its claim, the result is that outcome. If the node
    /// then reports the run under the same claim as cancelled or, after a lost answer, as released, the store accepts the report as a
    /// repetition. If a requested run waits for the end of a pause, its entry is put back in the same transaction, and a report as snoozed
    /// or released is a repetition.</remarks>
    Task<TaskStart> StartTaskAsync(TaskStartRequest request, CancellationToken cancellationToken);

    /// <summary>Finds a task by id.</summary>
    Task<TaskRecord?> FindTaskAsync(Guid taskId, CancellationToken cancellationToken);

    /// <summary>Lists tasks, newest first.</summary>
    Task<IReadOnlyList<TaskRecord>> ListTasksAsync(Guid? jobId, TaskState? state, int limit, CancellationToken cancellationToken);

    /// <summary>Lists a job's tasks that have not ended, oldest first.</summary>
    Task<IReadOnlyList<TaskRecord>> ListIncompleteTasksAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>Creates a recovery entry for every unfinished task without an entry. Closes every unfinished task whose entry has ended, or
    /// that has no entry and is older than <paramref name="maxAge"/>.</summary>
    /// <param name="maxAge">The maximum age of a task that gets an entry.</param>
    /// <param name="maxCrashes">A task with more crashes is closed.</param>
    /// <param name="audit">The operator who requested it: each transaction that changes tasks also stores the event
    /// <see cref="QueueEventKind.WorkRecovered"/>. <see langword="null"/> if a node does it by itself.</param>
    /// <param name="cancellationToken">Stops between two transactions.</param>
    Task<RecoveryReport> RecoverTasksAsync(TimeSpan maxAge, int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken);
}
