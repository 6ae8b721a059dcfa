using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>Creates or updates the declared jobs at every start, before job recovery plans the jobs without a next run. Declaring an
/// unchanged job again changes nothing.</summary>
/// <remarks>If a job's declaration is removed from the code, the job keeps running by default, because this process can't know whether
/// another process (an older version, another service) still declares it.</remarks>
internal sealed class JobDeclarations(
    DeclaredJobs declared, JobService jobs, IJobStore store, INodeRole role, ApplicationActor actor,
    IOptions<TaskRecoveryOptions> options, ILogger<JobDeclarations> logger)
    : IStartupStep
{
    private const int MostNames = 20;
    private const int MostAtOnce = 500;

    private readonly string _application = actor.Name;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // A process that only enqueues and declares no job may share its application name with the one that declares them.
        if (!role.Works && declared.All.Count == 0)
        {
            return;
        }

        var stored = await store.ListDeclaredAsync(_application, cancellationToken).ConfigureAwait(false);
        var unchanged = stored.Where(static job => !job.IsOrphaned).ToDictionary(
            static job => job.Name, static job => job.DeclaredAs, StringComparer.Ordinal);
        var wanted = new List<NewJob>();
        foreach (var declaration in declared.All)
        {
            // One answer of the store is enough for all jobs that have not changed, however many there are.
            if (!unchanged.TryGetValue(declaration.Name, out var digest) || digest is null
                || !string.Equals(digest, declaration.Digest(jobs), StringComparison.Ordinal))
            {
                wanted.Add(await declaration.Declare(jobs, _application, cancellationToken).ConfigureAwait(false));
            }
        }

        foreach (var part in wanted.Chunk(MostAtOnce))
        {
            foreach (var job in await store.UpsertManyAsync(part, cancellationToken).ConfigureAwait(false))
            {
                logger.JobDeclared(job.Name, job.Id, job.Schedule, job.NextRunAt);
            }
        }

        await HandleOrphansAsync(stored, cancellationToken).ConfigureAwait(false);
    }

    private async Task HandleOrphansAsync(IReadOnlyList<DeclaredJob> stored, CancellationToken cancellationToken)
    {
        var orphans = stored.Select(static job => job.Name).Where(name => !declared.Contains(name)).ToList();
        if (orphans.Count == 0)
        {
            return;
        }

        if (options.Value.OrphanedJobs == OrphanedJobPolicy.Delete)
        {
            foreach (var name in orphans)
            {
                if (await store.FindByNameAsync(name, cancellationToken).ConfigureAwait(false) is { } job && await store.DeleteAsync(
                    job.Id, actor.Because("the application no longer declares it"), cancellationToken).ConfigureAwait(false))
                {
                    logger.OrphanDeleted(name, _application);
                }
            }

            return;
        }

        await store.SetOrphanedAsync(orphans, cancellationToken).ConfigureAwait(false);
        var names = string.Join(", ", orphans.Take(MostNames)) + (orphans.Count > MostNames ? ", ..." : "");
        logger.JobsOrphaned(orphans.Count, _application, names);
    }
}
