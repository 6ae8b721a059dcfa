using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Recovery;
using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>Creates or updates the declared jobs at every start, before job recovery plans the jobs without a next run. Declaring an
/// unchanged job again changes nothing.</summary>
/// <remarks>If a job's declaration is removed from the code, the job keeps running by default, because this process can't know whether
/// another process (an older version, another service) still declares it.</remarks>
internal sealed class JobDeclarations(
    IEnumerable<JobDeclaration> declarations, JobService jobs, IJobStore store, INodeRole role, ApplicationActor actor,
    IOptions<TaskRecoveryOptions> options, ILogger<JobDeclarations> logger)
    : IStartupStep
{
    private const int MostNames = 20;

    private readonly string _application = actor.Name;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var declared = new HashSet<string>(StringComparer.Ordinal);
        foreach (var declaration in declarations)
        {
            var job = await declaration.Declare(jobs, _application, cancellationToken).ConfigureAwait(false);
            declared.Add(job.Name);
            logger.JobDeclared(job.Name, job.Id, job.Schedule, job.NextRunAt);
        }

        // A process that only enqueues and declares no job may share its application name with the one that declares them.
        if (role.Works || declared.Count > 0)
        {
            await HandleOrphansAsync(declared, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task HandleOrphansAsync(HashSet<string> declared, CancellationToken cancellationToken)
    {
        var orphans = (await store.ListDeclaredAsync(_application, cancellationToken).ConfigureAwait(false)).Where(
            name => !declared.Contains(name)).ToList();
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
