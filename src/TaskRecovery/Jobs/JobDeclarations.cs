using System.Runtime.ExceptionServices;
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
/// process of the old version may start once more and does not know the jobs of the new one. What a lock keeps back at the start is
/// repeated later, when a newer version may have declared its jobs. So only the jobs that were locked are repeated, and only if no other
/// process has declared or deleted them since; orphans are left to the next start.</remarks>
internal sealed class JobDeclarations(
    DeclaredJobs declared, JobService jobs, IJobStore store, INodeRole role, ApplicationActor actor,
    IOptions<TaskRecoveryOptions> options, ILogger<JobDeclarations> logger)
    : IStartupStep
{
    private const int MostNames = 20;

    // Each job that another transaction has locked costs half a second, in which this node does not work yet.
    private const int MostLocked = 20;
    private const int MostAtOnce = 5_000;

    // A process that works no queue has no later round. Each attempt waits for half a second in the store: half a minute in all, as long as
    // any other statement waits.
    private const int MostAttempts = 60;

    // Longer than a deployment, in which processes of two versions start.
    private static readonly TimeSpan LongestDeployment = TimeSpan.FromHours(1);

    private readonly string _application = actor.Name;
    private readonly ILogger _logger = logger.Guarded();
    private bool _hasLookedForOrphans;
    private Wanted[] _skipped = [];

    /// <inheritdoc/>
    public bool IsIncomplete => _skipped.Length > 0;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // A process that only enqueues and declares no job may share its application name with the one that declares them.
        if (!role.Works && declared.All.Count == 0)
        {
            return;
        }

        var stored = await store.ListDeclaredAsync(_application, cancellationToken).ConfigureAwait(false);
        var byName = ByName(stored);
        var wanted = new List<Wanted>();
        foreach (var declaration in declared.All)
        {
            // One answer of the store is enough for all jobs that have not changed, however many there are.
            var before = byName.GetValueOrDefault(declaration.Name);
            if (before is not { IsOrphaned: false, DeclaredAs: { } digest } || !declaration.IsDeclaredAs(jobs, digest))
            {
                var job = await declaration.Declare(jobs, _application, cancellationToken).ConfigureAwait(false);
                wanted.Add(new Wanted(job, before));
            }
        }

        _skipped = await StoreAsync(wanted, cancellationToken).ConfigureAwait(false);
        if (!_hasLookedForOrphans)
        {
            await HandleOrphansAsync(stored, cancellationToken).ConfigureAwait(false);
            _hasLookedForOrphans = true;
        }
    }

    /// <summary>Stores the jobs that were locked when the step ran, except those that have been declared or deleted since: this process may
    /// be of an older version than the one that did so.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        var skipped = _skipped;
        var stored = ByName(await store.ListDeclaredAsync(_application, cancellationToken).ConfigureAwait(false));
        var wanted = new List<Wanted>();
        foreach (var one in skipped)
        {
            var now = stored.GetValueOrDefault(one.Name);
            if (now == one.Before)
            {
                wanted.Add(one);
            }
            else if (now is null or { IsOrphaned: true } || !one.Job.IsDeclaredAs(now.DeclaredAs))
            {
                _logger.DeclarationDropped(one.Name);
            }
        }

        var rest = await StoreAsync(wanted, cancellationToken).ConfigureAwait(false);

        // If the step has run again meanwhile, it knows what is left to do.
        Interlocked.CompareExchange(ref _skipped, rest, skipped);
    }

    private static Dictionary<string, DeclaredJob> ByName(IReadOnlyList<DeclaredJob> stored)
        => stored.ToDictionary(static job => job.Name, StringComparer.Ordinal);

    // Another transaction may keep a job locked for hours. In a process that works, that keeps only this job from being stored. Returns the
    // jobs that are still to be stored.
    private async Task<Wanted[]> StoreAsync(List<Wanted> wanted, CancellationToken cancellationToken)
    {
        var locked = new List<Wanted>();
        var untried = new List<Wanted>();
        foreach (var part in wanted.Chunk(MostAtOnce))
        {
            if (locked.Count == MostLocked)
            {
                untried.AddRange(part);
            }
            else if (await TryStoreAsync(part, cancellationToken).ConfigureAwait(false) is { } error)
            {
                await StoreOneByOneAsync(part, error, locked, untried, cancellationToken).ConfigureAwait(false);
            }
        }

        if (untried.Count > 0)
        {
            _logger.DeclarationsNotTried(untried.Count, MostLocked);
        }

        // The next round begins with those that this one has not tried.
        return [.. untried, .. locked];
    }

    // Some of them are stored already, and are not changed again.
    private async Task StoreOneByOneAsync(
        Wanted[] part, Exception firstError, List<Wanted> locked, List<Wanted> untried, CancellationToken cancellationToken)
    {
        foreach (var one in part)
        {
            if (locked.Count == MostLocked)
            {
                untried.Add(one);
                continue;
            }

            var error = part.Length == 1 ? firstError : await TryStoreAsync([one], cancellationToken).ConfigureAwait(false);
            for (var attempts = 1; error is not null && !role.Works; attempts++)
            {
                if (attempts == MostAttempts)
                {
                    ExceptionDispatchInfo.Throw(error);
                }

                error = await TryStoreAsync([one], cancellationToken).ConfigureAwait(false);
            }

            if (error is null)
            {
                continue;
            }

            locked.Add(one with { IsLogged = true });
            if (!one.IsLogged)
            {
                _logger.JobNotDeclared(one.Name, error);
            }
        }
    }

    // Returns the error if another transaction has locked one of the jobs.
    private async Task<Exception?> TryStoreAsync(Wanted[] part, CancellationToken cancellationToken)
    {
        try
        {
            var stored = await store.UpsertManyAsync([.. part.Select(static one => one.Job)], cancellationToken).ConfigureAwait(false);
            foreach (var job in stored)
            {
                _logger.JobDeclared(job.Name, job.Id, job.Schedule, job.NextRunAt);
            }

            return null;
        }
        catch (StoreUnavailableException exception) when (exception.IsLockTimeout)
        {
            return exception;
        }
    }

    private async Task HandleOrphansAsync(IReadOnlyList<DeclaredJob> stored, CancellationToken cancellationToken)
    {
        var orphans = new List<string>();
        var locked = 0;
        foreach (var job in stored.Where(job => !declared.Contains(job.Name)))
        {
            var isDeleted = false;
            if (job.IsOrphaned && options.Value.OrphanedJobs == OrphanedJobPolicy.Delete && locked < MostLocked)
            {
                try
                {
                    isDeleted = await store.DeleteOrphanAsync(
                        _application, job.Name, LongestDeployment, actor.Because("the application no longer declares it"),
                        cancellationToken).ConfigureAwait(false);
                }
                catch (StoreUnavailableException exception) when (exception.IsLockTimeout)
                {
                    locked++;
                    _logger.OrphanNotDeleted(job.Name, _application, exception);
                }
            }

            if (isDeleted)
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

    /// <summary>A job that is to be stored as the code declares it.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="Before">What the store had of it when the step ran.</param>
    /// <param name="IsLogged">Whether it was logged that the job is locked.</param>
    private sealed record Wanted(NewJob Job, DeclaredJob? Before, bool IsLogged = false)
    {
        public string Name => Job.Definition.Name;
    }
}
