namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>The jobs of the fake system.</summary>
internal sealed class FakeJobs(FakeSystem system) : IJobService
{
    public Task<Job> CreateOrUpdateAsync<TArgs>(JobDefinition definition, TArgs args, CancellationToken cancellationToken = default)
        where TArgs : notnull => throw new NotSupportedException();

    public Task<Job?> GetAsync(Guid jobId, CancellationToken cancellationToken = default) => Task.FromResult(
        system.Jobs.Find(job => job.Id == jobId));

    public Task<Job?> GetByNameAsync(string name, CancellationToken cancellationToken = default) => Task.FromResult(
        system.Jobs.Find(job => job.Name == name));

    public Task<JobPage> ListAsync(JobQuery? query = null, CancellationToken cancellationToken = default)
        => Task.FromResult(new JobPage(system.Jobs, null));

    public Task<bool> PauseAsync(
        Guid jobId, string? reason = null, string? by = null, DateTimeOffset? until = null,
        CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<bool> ResumeAsync(Guid jobId, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<bool> DeleteAsync(Guid jobId, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<long> TriggerNowAsync(Guid jobId, OverlapPolicy? overlap = null, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public Task<int> BackfillAsync(Guid jobId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public Task<IReadOnlyList<DateTimeOffset>> GetNextRunsAsync(Guid jobId, int count = 10, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public Task<DateTimeOffset?> GetNextRunAsync(Guid jobId, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public Task<int> RecoverJobsAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();
}
