namespace TaskRecovery.Dashboard.Pages;

/// <summary>Finds the jobs of tasks, and reads each of them once.</summary>
internal sealed class JobLookup(IQueueMonitor monitor)
{
    private readonly Dictionary<Guid, Job?> _found = [];

    /// <summary>Reads those of the jobs that were not read yet. They are the jobs of one page of tasks, which has at most as many tasks as
    /// one question may have ids.</summary>
    public async ValueTask LoadAsync(IEnumerable<Guid> ids, CancellationToken cancellationToken)
    {
        Guid[] missing = [.. ids.Where(id => !_found.ContainsKey(id)).Distinct()];
        foreach (var id in missing)
        {
            _found[id] = null;
        }

        foreach (var job in await monitor.FindJobsAsync(missing, cancellationToken).ConfigureAwait(false))
        {
            _found[job.Id] = job;
        }
    }

    /// <summary>A job that was read; <see langword="null"/> if it was deleted.</summary>
    public Job? Find(Guid id) => _found.GetValueOrDefault(id);

    /// <summary>Jobs by id, without those that were deleted.</summary>
    public async ValueTask<IReadOnlyDictionary<Guid, Job>> FindAllAsync(IEnumerable<Guid> ids, CancellationToken cancellationToken)
    {
        Guid[] wanted = [.. ids.Distinct()];
        await LoadAsync(wanted, cancellationToken).ConfigureAwait(false);
        return wanted.Select(Find).OfType<Job>().ToDictionary(static job => job.Id);
    }
}
