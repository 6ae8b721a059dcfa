namespace TaskRecovery;

/// <summary>Jobs: what runs on which schedule.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the database can't be reached or did not confirm.</remarks>
public interface IJobService
{
    /// <summary>Creates a job, or changes the one with this name. Calling it again with the same definition changes nothing.</summary>
    /// <typeparam name="TArgs">The arguments of the task handler that runs it.</typeparam>
    /// <exception cref="ArgumentException">The definition or the arguments can't be stored; the message says which value and what to do.</exception>
    /// <exception cref="KindNotRegisteredException">There is no kind for <typeparamref name="TArgs"/>.</exception>
    Task<Job> CreateOrUpdateAsync<TArgs>(JobDefinition definition, TArgs args, CancellationToken cancellationToken = default)
        where TArgs : notnull;

    /// <summary>Finds a job by id.</summary>
    Task<Job?> GetAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Finds a job by name.</summary>
    Task<Job?> GetByNameAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Lists jobs by name.</summary>
    Task<IReadOnlyList<Job>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>Stops a job from running. A task that runs goes on.</summary>
    /// <returns><see langword="false"/> if there is no such job.</returns>
    Task<bool> PauseAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Lets a paused job run again, from its next due time.</summary>
    /// <returns><see langword="false"/> if there is no such job.</returns>
    Task<bool> ResumeAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Deletes a job. Its task records stay; unfinished tasks are cancelled.</summary>
    /// <returns><see langword="false"/> if there is no such job.</returns>
    Task<bool> DeleteAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Runs a job now, beside its schedule.</summary>
    /// <returns>The entry that will become the run.</returns>
    /// <exception cref="InvalidOperationException">There is no such job, or it is paused or has ended.</exception>
    Task<long> TriggerNowAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>When a job runs next; <see langword="null"/> if no run is planned.</summary>
    Task<DateTimeOffset?> GetNextRunAsync(Guid jobId, CancellationToken cancellationToken = default);

    /// <summary>Makes sure that every active job has its next run planned. Part of the start-up hook; safe to call at any time.</summary>
    /// <returns>How many jobs had none.</returns>
    Task<int> RecoverJobsAsync(CancellationToken cancellationToken = default);
}
