namespace TaskRecovery;

/// <summary>Changes entries, queues and jobs on behalf of an operator. Every action is recorded with its actor, in the transaction that
/// carries it out (see <see cref="IQueueMonitor.ListEventsAsync"/>).</summary>
/// <remarks>
/// <para>Thread-safe. Works without a node. Only erasing data and deleting a job are final: a cancelled entry can be retried until
/// retention removes it.</para>
/// <para>The actions of <see cref="IJobQueue"/>, <see cref="IJobService"/> and <see cref="ITaskService"/> are these, with the application's
/// name as the actor.</para>
/// <para>Every method throws <see cref="StoreUnavailableException"/> if the database can't be reached or does not confirm a write, and
/// <see cref="ArgumentException"/> if the actor is empty or a text is too long.</para>
/// </remarks>
public interface IQueueOperator
{
    /// <summary>Puts a failed or cancelled entry back into its queue, with its attempts reset.</summary>
    /// <param name="entryId">The id of the entry.</param>
    /// <param name="audit">Who does it, and why.</param>
    /// <param name="options">When the entry runs and where it starts; <see langword="null"/> means now and after its last finished
    /// step.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    ValueTask<OperatorResult> RetryAsync(
        long entryId, AuditInfo audit, RetryOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Requests cancellation of an entry. A waiting entry ends at once; the handler of a running one is asked to stop.</summary>
    /// <returns><see cref="OperatorResult.Done"/>, <see cref="OperatorResult.NotFound"/> or
    /// <see cref="OperatorResult.AlreadyEnded"/>.</returns>
    ValueTask<OperatorResult> CancelAsync(long entryId, AuditInfo audit, CancellationToken cancellationToken = default);

    /// <summary>Erases the application's data in entries and in the tasks they run, as <see cref="IJobQueue.EraseAsync"/> does. Every
    /// erased entry is recorded.</summary>
    /// <param name="target">The entries to erase.</param>
    /// <param name="audit">Who does it, and why. It is kept, so it must not contain what is erased.</param>
    /// <param name="cancellationToken">Stops between two entries. Entries already erased stay erased.</param>
    /// <returns>The number of matching entries, all of which are erased. The call is safe to repeat.</returns>
    ValueTask<int> EraseAsync(EraseTarget target, AuditInfo audit, CancellationToken cancellationToken = default);

    /// <summary>Reads the store's clock, with which the end of a pause and the due times of entries are compared.</summary>
    /// <remarks>Add a duration to this time, and not to the time of this machine, whose clock may differ. Of a store without an
    /// <c>IOperationStore</c>, it is the time of this machine.</remarks>
    ValueTask<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken = default);

    /// <summary>Pauses a queue, a kind or a job for every node. Running entries continue.</summary>
    /// <remarks>If the target is paused already, this pause replaces the other one. <see cref="QueueEvent.Detail"/> of the event has the
    /// end of the pause, and whose pause it replaces, until when and why.</remarks>
    /// <param name="target">What is paused.</param>
    /// <param name="audit">Who does it, and why.</param>
    /// <param name="until">When it is resumed by a node; <see langword="null"/> means only by an operator.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="until"/> is not later than the store's clock (see
    /// <see cref="GetTimeAsync"/>), or beyond the year 9000.</exception>
    /// <returns><see cref="OperatorResult.Done"/>; <see cref="OperatorResult.AlreadyEnded"/> if the job has ended; or
    /// <see cref="OperatorResult.NotFound"/> if there is no such job, or no entry and no node has used the queue or kind yet (see
    /// <see cref="PauseTarget.MayBeNew"/>).</returns>
    ValueTask<OperatorResult> PauseAsync(
        PauseTarget target, AuditInfo audit, DateTimeOffset? until = null, CancellationToken cancellationToken = default);

    /// <summary>Resumes what was paused.</summary>
    /// <returns><see cref="OperatorResult.Done"/>; <see cref="OperatorResult.NotPaused"/> if the queue, kind or job is not paused, which
    /// leaves no event; or <see cref="OperatorResult.NotFound"/> if there is none.</returns>
    /// <exception cref="JobUnplannableException">This process can't compute the due times of the job.</exception>
    ValueTask<OperatorResult> ResumeAsync(PauseTarget target, AuditInfo audit, CancellationToken cancellationToken = default);

    /// <summary>Runs a job now, in addition to its schedule.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="audit">Who does it, and why.</param>
    /// <param name="overlap">What happens if another run of the job is unfinished; <see langword="null"/> for the job's own
    /// policy.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>The id of the entry that will run the job; <see langword="null"/> if the job does not exist, is paused or has
    /// ended.</returns>
    ValueTask<long?> TriggerJobAsync(
        Guid jobId, AuditInfo audit, OverlapPolicy? overlap = null, CancellationToken cancellationToken = default);

    /// <summary>Finds the due times for which <see cref="BackfillJobAsync"/> would run a job. Those that have a task are skipped
    /// then.</summary>
    /// <exception cref="InvalidOperationException">The job does not exist, is paused, has ended, or runs once.</exception>
    /// <exception cref="ArgumentException">The range ends before it begins, or has more than 10,000 due times.</exception>
    /// <exception cref="JobUnplannableException">This process can't compute the due times of the job.</exception>
    ValueTask<IReadOnlyList<DateTimeOffset>> PreviewBackfillAsync(
        Guid jobId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default);

    /// <summary>Runs a job for every due time in a range of the past that has no task yet, as
    /// <see cref="IJobService.BackfillAsync"/>.</summary>
    /// <returns>The number of runs that were enqueued.</returns>
    /// <exception cref="InvalidOperationException">The job does not exist, is paused, has ended, or runs once.</exception>
    /// <exception cref="ArgumentException">The range ends before it begins, or has more than 10,000 due times.</exception>
    /// <exception cref="JobUnplannableException">This process can't compute the due times of the job.</exception>
    ValueTask<int> BackfillJobAsync(
        Guid jobId, DateTimeOffset from, DateTimeOffset to, AuditInfo audit, CancellationToken cancellationToken = default);

    /// <summary>Deletes a job and cancels its unfinished tasks. Its task records are kept.</summary>
    /// <returns><see cref="OperatorResult.Done"/>, or <see cref="OperatorResult.NotFound"/> if there is no such job.</returns>
    ValueTask<OperatorResult> DeleteJobAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken = default);

    /// <summary>Recovers the work of dead nodes and repairs tasks, as every running node does by itself and
    /// <see cref="ITaskService.RecoverRunningTasksAsync"/> does at the request of the application.</summary>
    /// <param name="audit">Who does it, and why. It is recorded with each part of the work that was recovered.</param>
    /// <param name="cancellationToken">Stops between two parts. What was recovered stays recovered.</param>
    /// <returns>What was recovered or closed, and in <see cref="RecoveryReport.Failure"/> the error if the work of a node could not be
    /// recovered. The call is safe to repeat, and beside nodes that do the same.</returns>
    ValueTask<RecoveryReport> RecoverAsync(AuditInfo audit, CancellationToken cancellationToken = default);

    /// <summary>Prepares a bulk operation: stores it with its query and the highest entry id of this moment, and counts what it would
    /// change. Nothing changes until <see cref="StartAsync"/> is called, within 10 minutes and by the same actor.</summary>
    /// <remarks>Every condition of the query, its scope included, is checked again for each entry when the operation gets to
    /// it.</remarks>
    /// <exception cref="ArgumentException">The request is not valid. The message names the part, its value and what is
    /// allowed.</exception>
    ValueTask<OperationPreview> PreviewAsync(BulkRequest request, AuditInfo audit, CancellationToken cancellationToken = default);

    /// <summary>Starts a prepared operation. It proceeds in steps of 500 entries; any node continues it, also after a crash.</summary>
    ValueTask<OperationAnswer> StartAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken = default);

    /// <summary>Carries out one step of a running operation in this process, if no other process is doing one. For tools that work without
    /// a node: they call it until the operation has ended.</summary>
    /// <returns>The operation after the step; <see langword="null"/> if there is no such operation.</returns>
    ValueTask<BulkOperation?> ContinueAsync(long operationId, CancellationToken cancellationToken = default);

    /// <summary>Stops a running operation after its current step. What it has changed stays changed.</summary>
    ValueTask<OperationAnswer> StopAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken = default);

    /// <summary>Starts an operation that reverses what another one has changed. Cancelled entries that had been waiting wait again with
    /// their old due time, attempts and crashes; retried entries that have not run since are ended again, in the state, at the time and for
    /// the reason with which they had ended.</summary>
    /// <remarks>If an undo was stopped, another one continues where it stopped. Steps and checkpoints that a retry from the start has
    /// deleted are not restored.</remarks>
    /// <returns>The answer with the new operation.</returns>
    ValueTask<OperationAnswer> UndoAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken = default);

    /// <summary>Finds an operation. Returns <see langword="null"/> if there is none with this id, or it has another scope.</summary>
    /// <param name="operationId">The operation.</param>
    /// <param name="scope">The scope to which the operation must be restricted, with the same names in any order;
    /// <see langword="null"/> for an operation with any scope or none. It is compared before anything of the operation is read, so that
    /// the time of the answer does not reveal that an operation with another scope exists.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentException">The scope is not valid. The message names the condition, its value and what is
    /// allowed.</exception>
    ValueTask<BulkOperation?> FindOperationAsync(
        long operationId, EntryScope? scope = null, CancellationToken cancellationToken = default);

    /// <summary>Lists one page of operations, newest first. Operations that were prepared and never started are not listed.</summary>
    /// <exception cref="ArgumentException">The limit is not valid. The message says what is allowed.</exception>
    ValueTask<OperationPage> ListOperationsAsync(OperationQuery query, CancellationToken cancellationToken = default);

    /// <summary>Lists one page of the entries that an operation has processed, with the result of each, by ascending id.</summary>
    /// <exception cref="ArgumentException">The limit is not valid. The message says what is allowed.</exception>
    ValueTask<OperationEntryPage> ListOperationEntriesAsync(OperationEntryQuery query, CancellationToken cancellationToken = default);

    /// <summary>Records that a tool refused an action, because its user had no right to it.</summary>
    /// <param name="action">The action, such as <c>retry entry 42</c>. At most 2,000 characters.</param>
    /// <param name="audit">Who tried it.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    ValueTask RecordRefusalAsync(string action, AuditInfo audit, CancellationToken cancellationToken = default);
}
