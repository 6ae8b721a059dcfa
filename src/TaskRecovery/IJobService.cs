namespace TaskRecovery;

/// <summary>Creates, changes and controls jobs. A job runs a task handler on a schedule.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> if the database can't be reached or does not confirm a
/// write.</remarks>
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

    /// <summary>Lists all jobs, ordered by name.</summary>
    Task<IReadOnlyList<Job>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>Pauses a job: no further run starts. A running task continues.</summary>
    /// <returns><see langword="false"/> if there is no such job.</returns>
    Task<bool> PauseAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Resumes a paused job from its next due time. An interval job does not make up for due times that passed during the
    /// pause.</summary>
    /// <returns><see langword="false"/> if there is no such job.</returns>
    Task<bool> ResumeAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Deletes a job and cancels its unfinished tasks. Its task records are kept.</summary>
    /// <returns><see langword="false"/> if there is no such job.</returns>
    Task<bool> DeleteAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Runs a job now, in addition to its schedule.</summary>
    /// <returns>The id of the entry that will run the job.</returns>
    /// <exception cref="InvalidOperationException">The job does not exist, is paused or has ended.</exception>
    Task<long> TriggerNowAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Returns the time of a job's next run; <see langword="null"/> if no run is planned.</summary>
    Task<DateTimeOffset?> GetNextRunAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Plans the next run of every active job that has none. Runs at start-up by itself; safe to call at any time.</summary>
    /// <returns>The number of jobs that had no planned run.</returns>
    Task<int> RecoverJobsAsync(CancellationToken cancellationToken = default);
}
