using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance;

/// <summary>Lists the few jobs of a test.</summary>
public static class JobLists
{
    public static async Task<IReadOnlyList<Job>> ListAsync(this IJobStore store, CancellationToken cancellationToken)
        => (await store.ListAsync(new JobQuery { Limit = 1_000 }, cancellationToken)).Jobs;
}
