namespace TaskRecovery;

/// <summary>Creates, changes and controls jobs. A job runs a task handler on a schedule.</summary>
/// <remarks>What is paused, resumed, deleted or run here is recorded as an event, with the application's name
/// (<c>IHostEnvironment.ApplicationName</c>) as the actor. To record a person and a reason, use <see cref="IQueueOperator"/>. Every method
/// throws <see cref="StoreUnavailableException"/> if the database can't be reached or does not confirm a write.</remarks>
public interface IJobService
{
    /// <summary>Creates a job, or updates the job with the same name. Calling it again with the same definition changes nothing.</summary>
    /// <typeparam name="TArgs">The arguments of the task handler that runs it.</typeparam>
    /// <exception cref="ArgumentException">The definition or the arguments can't be stored. The message names the value and the
    /// remedy.</exception>
    /// <exception cref="KindNotRegisteredException"><typeparamref name="TArgs"/> has no kind: it is registered with neither
    /// <c>AddTaskHandler</c> nor <c>AddKind</c>, and has no <see cref="JobKindAttribute"/>.</exception>
    Task<Job> CreateOrUpdateAsync<TArgs>(JobDefinition definition, TArgs args, CancellationToken cancellationToken = default)
        where TArgs : notnull;

    /// <summary>Finds a job by id. Returns <see langword="null"/> if it does not exist.</summary>
    Task<Job?> GetAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Finds a job by name. Returns <see langword="null"/> if it does not exist.</summary>
    Task<Job?> GetByNameAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Lists jobs, ordered by name. <see cref="JobServiceExtensions.ListAllAsync"/> reads all pages.</summary>
    /// <param name="query">Which page; <see langword="null"/> for the first one.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentException">The query is not valid, or has <see cref="JobQuery.NameContains"/>. The message names the
    /// condition, its value and what is allowed.</exception>
    Task<JobPage> ListAsync(JobQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>Pauses a job: no further run starts. A running task continues. If the job is paused already, the reason and the end of the
    /// pause change.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="reason">Why it is paused, shown with the job (see <see cref="Job.Pause"/>).</param>
    /// <param name="actor">Who pauses it; <see langword="null"/> for the application.</param>
    /// <param name="until">When it resumes by itself, within a minute; <see langword="null"/> if <see cref="ResumeAsync"/> will be
    /// called. Runs that are due after this time are not lost. To pause for a duration, add it to
    /// <see cref="IQueueOperator.GetTimeAsync"/>: the store's clock counts.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns><see langword="false"/> if there is no such job, or it has ended.</returns>
    /// <exception cref="ArgumentException">A text is too long or has a character that can't be stored.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="until"/> is not later than the store's clock, or beyond the year
    /// 9000.</exception>
    Task<bool> PauseAsync(
        Guid jobId, string? reason = null, string? actor = null, DateTimeOffset? until = null,
        CancellationToken cancellationToken = default);

    /// <summary>Resumes a paused job from its next due time. Due times that passed during the pause are not made up for. A run that was due
    /// before the pause and had not started is due again, and runs that were requested before the pause start at once.</summary>
    /// <returns><see langword="false"/> if there is no such job.</returns>
    /// <exception cref="JobUnplannableException">This process can't compute the due times of the job.</exception>
    Task<bool> ResumeAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Deletes a job and cancels its unfinished tasks. Its task records are kept.</summary>
    /// <returns><see langword="false"/> if there is no such job.</returns>
    Task<bool> DeleteAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Runs a job now, in addition to its schedule.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="overlap">What happens if another run of the job is unfinished; <see langword="null"/> for the job's own
    /// policy.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>The id of the entry that will run the job.</returns>
    /// <exception cref="InvalidOperationException">The job does not exist, is paused or has ended.</exception>
    Task<long> TriggerNowAsync(Guid jobId, OverlapPolicy? overlap = null, CancellationToken cancellationToken = default);

    /// <summary>Runs a job for every due time in a range of the past that has no task. The handler sees each of them as
    /// <see cref="TaskContext{TArgs}.DueAt"/>.</summary>
    /// <remarks>The task of a completed run is removed after <see cref="RetentionOptions.Completed"/>, so a range that begins earlier
    /// repeats completed runs. The runs wait for each other and for other runs of the job, except with
    /// <see cref="OverlapPolicy.Allow"/>. A regular run that is due meanwhile obeys the job's
    /// <see cref="JobDefinition.Overlap"/>.</remarks>
    /// <param name="jobId">The job.</param>
    /// <param name="from">The first due time.</param>
    /// <param name="to">The last due time. Due times from the planned run on are not part of it.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>The number of runs that were enqueued.</returns>
    /// <exception cref="InvalidOperationException">The job does not exist, is paused, has ended, or runs once.</exception>
    /// <exception cref="ArgumentException"><paramref name="to"/> is before <paramref name="from"/>, the range begins before 1900, or it has
    /// more than 10,000 due times.</exception>
    /// <exception cref="JobUnplannableException">This process can't compute the due times of the job.</exception>
    Task<int> BackfillAsync(Guid jobId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default);

    /// <summary>Returns the time of a job's next run; <see langword="null"/> if no run is planned.</summary>
    Task<DateTimeOffset?> GetNextRunAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Returns the times of a job's next runs, beginning with the planned one. The list is empty if no run is planned, for example
    /// because the job is paused; it is shorter than <paramref name="count"/> if the job ends before.</summary>
    /// <remarks>If the planned run is overdue, the list contains what runs if a node starts it now, by the clock of this machine: due times
    /// that the job's <see cref="JobDefinition.MissedRuns"/> and <see cref="JobDefinition.ExpiresAfter"/> skip are not in it. For a
    /// definition that is not stored yet, see <see cref="JobDefinition.GetRunsAfter"/>.</remarks>
    /// <param name="jobId">The job.</param>
    /// <param name="count">How many runs to return, 1 to 1,000.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not 1 to 1,000.</exception>
    /// <exception cref="JobUnplannableException">This process can't compute the due times of the job.</exception>
    Task<IReadOnlyList<DateTimeOffset>> GetNextRunsAsync(Guid jobId, int count = 10, CancellationToken cancellationToken = default);

    /// <summary>Plans the next run of every active job that has none. Runs at start-up by itself; safe to call at any time.</summary>
    /// <returns>The number of jobs that had no planned run.</returns>
    Task<int> RecoverJobsAsync(CancellationToken cancellationToken = default);
}
