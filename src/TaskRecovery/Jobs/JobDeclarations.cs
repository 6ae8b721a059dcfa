using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>Creates or updates the declared jobs at every start, before job recovery plans the jobs without a next run. Declaring an
/// unchanged job again changes nothing.</summary>
/// <remarks>If a job's declaration is removed from the code, the job keeps running by default, because this process can't know whether
/// another process (an older version, another service) still declares it. For the same reason, orphans are looked for only when the process
/// starts and not when its node registers again, and a job is deleted only if it has been an orphan for a while: during a deployment, a
/// process of the old version may start once more and does not know the jobs of the new one.</remarks>
internal sealed class JobDeclarations(
    DeclaredJobs declared, JobService jobs, IJobStore store, INodeRole role, ApplicationActor actor,
    IOptions<TaskRecoveryOptions> options, ILogger<JobDeclarations> logger)
    : IStartupStep
{
    private const int MostNames = 20;

    // Each job that another transaction has locked costs half a second, in which this node does not work yet.
    private const int MostLocked = 20;
    private const int MostAtOnce = 5_000;

    // Longer than a deployment, in which processes of two versions start.
    private static readonly TimeSpan LongestDeployment = TimeSpan.FromHours(1);

    private readonly string _application = actor.Name;
    private readonly ILogger _logger = logger.Guarded();
    private bool _hasLookedForOrphans;
    private int _locked;

    /// <inheritdoc/>
    public bool IsIncomplete { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // A process that only enqueues and declares no job may share its application name with the one that declares them.
        if (!role.Works && declared.All.Count == 0)
        {
            return;
        }

        // If an error ends this run, it is repeated.
        IsIncomplete = true;
        _locked = 0;
        var stored = await store.ListDeclaredAsync(_application, cancellationToken).ConfigureAwait(false);
        var unchanged = stored.Where(static job => !job.IsOrphaned).ToDictionary(
            static job => job.Name, static job => job.DeclaredAs, StringComparer.Ordinal);
        var wanted = new List<NewJob>();
        foreach (var declaration in declared.All)
        {
            // One answer of the store is enough for all jobs that have not changed, however many there are.
            if (!unchanged.TryGetValue(declaration.Name, out var digest) || digest is null
                || !declaration.IsDeclaredAs(jobs, digest))
            {
                wanted.Add(await declaration.Declare(jobs, _application, cancellationToken).ConfigureAwait(false));
            }
        }

        foreach (var part in wanted.Chunk(MostAtOnce))
        {
            await StoreAsync(part, cancellationToken).ConfigureAwait(false);
        }

        if (!_hasLookedForOrphans)
        {
            _hasLookedForOrphans = await TryHandleOrphansAsync(stored, cancellationToken).ConfigureAwait(false);
        }

        IsIncomplete = _locked > 0;
    }

    // Another transaction may keep a job locked for hours. In a process that works, that keeps only this job from being stored.
    private async Task StoreAsync(NewJob[] part, CancellationToken cancellationToken)
    {
        if (_locked >= MostLocked)
        {
            return;
        }

        try
        {
            foreach (var job in await store.UpsertManyAsync(part, cancellationToken).ConfigureAwait(false))
            {
                _logger.JobDeclared(job.Name, job.Id, job.Schedule, job.NextRunAt);
            }
        }
        catch (StoreUnavailableException exception) when (exception.IsLockTimeout && role.Works)
        {
            if (part.Length == 1)
            {
                _locked++;
                _logger.JobNotDeclared(part[0].Definition.Name, exception);
                return;
            }

            // Some of them are stored already, and are not changed again.
            foreach (var job in part)
            {
                await StoreAsync([job], cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> TryHandleOrphansAsync(IReadOnlyList<DeclaredJob> stored, CancellationToken cancellationToken)
    {
        try
        {
            await HandleOrphansAsync(stored, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (StoreUnavailableException exception) when (exception.IsLockTimeout && role.Works)
        {
            _locked++;
            _logger.OrphansNotHandled(_application, exception);
            return false;
        }
    }

    private async Task HandleOrphansAsync(IReadOnlyList<DeclaredJob> stored, CancellationToken cancellationToken)
    {
        var orphans = new List<string>();
        foreach (var job in stored.Where(job => !declared.Contains(job.Name)))
        {
            if (job.IsOrphaned && options.Value.OrphanedJobs == OrphanedJobPolicy.Delete && await store.DeleteOrphanAsync(
                _application, job.Name, LongestDeployment, actor.Because("the application no longer declares it"), cancellationToken)
                .ConfigureAwait(false))
            {
                _logger.OrphanDeleted(job.Name, _application);
            }
            else
            {
                orphans.Add(job.Name);
            }
        }

        if (orphans.Count > 0)
        {
            await store.SetOrphanedAsync(_application, orphans, cancellationToken).ConfigureAwait(false);
            var names = string.Join(", ", orphans.Take(MostNames)) + (orphans.Count > MostNames ? ", ..." : "");
            _logger.JobsOrphaned(orphans.Count, _application, names);
        }
    }
}
