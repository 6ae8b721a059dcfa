namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>The jobs of the fake system.</summary>
internal sealed class FakeJobs(FakeSystem system) : IJobService
{
    /// <summary>What this machine throws if it computes due times; <see langword="null"/> if it can.</summary>
    public Exception? PlanFailure { get; set; }

    public Task<Job> CreateOrUpdateAsync<TArgs>(JobDefinition definition, TArgs args, CancellationToken cancellationToken = default)
        where TArgs : notnull => throw new NotSupportedException();

    public Task<Job?> GetAsync(Guid jobId, CancellationToken cancellationToken = default)
        => Answer("job", system.Jobs.Find(job => job.Id == jobId));

    public Task<Job?> GetByNameAsync(string name, CancellationToken cancellationToken = default)
        => Answer("job", system.Jobs.Find(job => job.Name == name));

    public Task<JobPage> ListAsync(JobQuery? query = null, CancellationToken cancellationToken = default)
    {
        query ??= new JobQuery();
        var found = system.Jobs.Where(job => query.After is null || string.CompareOrdinal(job.Name, query.After) > 0)
            .OrderBy(static job => job.Name, StringComparer.Ordinal).Take(query.Limit + 1).ToList();
        return Answer("jobs", found.Count > query.Limit
            ? new JobPage(found[..query.Limit], found[query.Limit - 1].Name)
            : new JobPage(found, null));
    }

    public Task<bool> PauseAsync(
        Guid jobId, string? reason = null, string? actor = null, DateTimeOffset? until = null,
        CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<bool> ResumeAsync(Guid jobId, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<bool> DeleteAsync(Guid jobId, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<long> TriggerNowAsync(Guid jobId, OverlapPolicy? overlap = null, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public Task<int> BackfillAsync(Guid jobId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public Task<IReadOnlyList<DateTimeOffset>> GetNextRunsAsync(Guid jobId, int count = 10, CancellationToken cancellationToken = default)
    {
        if (PlanFailure is { } failure)
        {
            return Task.FromException<IReadOnlyList<DateTimeOffset>>(failure);
        }

        if (system.Jobs.Find(one => one.Id == jobId) is not { State: JobState.Active, NextRunAt: { } next } job)
        {
            return Task.FromResult<IReadOnlyList<DateTimeOffset>>([]);
        }

        var runs = new List<DateTimeOffset> { next };
        while (runs.Count < count && job.Schedule.NextAfter(runs[^1], job.Name) is { } then)
        {
            runs.Add(then);
        }

        return Task.FromResult<IReadOnlyList<DateTimeOffset>>(runs);
    }

    public Task<DateTimeOffset?> GetNextRunAsync(Guid jobId, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public Task<int> RecoverJobsAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    private Task<T> Answer<T>(string question, T answer)
    {
        lock (system.Asked)
        {
            system.Asked.Add(question);
        }

        return Task.FromResult(answer);
    }
}
