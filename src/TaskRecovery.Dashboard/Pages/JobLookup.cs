namespace TaskRecovery.Dashboard.Pages;

/// <summary>Finds the jobs of tasks, and reads each of them once.</summary>
internal sealed class JobLookup(IJobService jobs)
{
    private readonly Dictionary<Guid, Job?> _found = [];

    /// <summary>How many jobs were read.</summary>
    public int Count => _found.Count;

    /// <summary>A job; <see langword="null"/> if it was deleted.</summary>
    public async ValueTask<Job?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        if (!_found.TryGetValue(id, out var job))
        {
            job = await jobs.GetAsync(id, cancellationToken).ConfigureAwait(false);
            _found.Add(id, job);
        }

        return job;
    }

    /// <summary>Jobs by id, without those that were deleted.</summary>
    public async ValueTask<IReadOnlyDictionary<Guid, Job>> FindAllAsync(IEnumerable<Guid> ids, CancellationToken cancellationToken)
    {
        var all = new Dictionary<Guid, Job>();
        foreach (var id in ids)
        {
            if (await FindAsync(id, cancellationToken).ConfigureAwait(false) is { } job)
            {
                all[id] = job;
            }
        }

        return all;
    }
}
