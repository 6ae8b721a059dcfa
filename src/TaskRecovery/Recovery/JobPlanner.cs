using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Recovery;

/// <summary>Plans the jobs that have no planned run, logs the jobs that this node can't plan, and keeps what does not run for the health
/// check.</summary>
internal sealed class JobPlanner
{
    private readonly IJobStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CachedRead<IReadOnlyList<OverdueJob>> _stillOverdue;
    private readonly Lock _lock = new();
    private HashSet<UnplannableJob> _known = [];
    private IReadOnlyList<OverdueJob> _overdue = [];

    public JobPlanner(IJobStore store, TimeProvider time, ILogger<JobPlanner> logger)
    {
        (_store, _time, _logger) = (store, time, logger.Guarded());
        _stillOverdue = new CachedRead<IReadOnlyList<OverdueJob>>(FindOverdueAsync, time);
    }

    /// <summary>The jobs without a planned run that this node could not plan when it last tried.</summary>
    public IReadOnlyList<UnplannableJob> ListUnplannable()
    {
        lock (_lock)
        {
            return [.. _known];
        }
    }

    /// <summary>The jobs whose planned run was overdue for longer than a limit when this node last recovered jobs, without those that have
    /// run since.</summary>
    /// <remarks>The next recovery may be more than a minute away, in a fleet several, so each job is read again, at most every few
    /// seconds. Nearly always there is none.</remarks>
    public async Task<IReadOnlyList<OverdueJob>> ListOverdueAsync(TimeSpan limit, CancellationToken cancellationToken)
        => [.. (await _stillOverdue.GetAsync(cancellationToken).ConfigureAwait(false)).Where(job => job.By > limit)];

    /// <summary>Resumes the jobs whose pause has ended, and plans the jobs that have no planned run.</summary>
    /// <returns>The number of jobs that had none.</returns>
    public async Task<int> RecoverAsync(CancellationToken cancellationToken)
    {
        var recovery = await _store.RecoverJobsAsync(cancellationToken).ConfigureAwait(false);
        Keep(recovery, recovery.Overdue);
        return recovery.Planned;
    }

    /// <summary>Plans everything as at start-up: the rules of a time zone may have changed since a run was planned.</summary>
    /// <returns>The number of jobs that had no planned run.</returns>
    public async Task<int> RecoverAtStartAsync(CancellationToken cancellationToken)
    {
        // After a downtime, planned runs have been due for long. Nothing could claim them, so that no job is overdue yet.
        var recovery = await _store.RecoverJobsAsync(cancellationToken).ConfigureAwait(false);
        Keep(recovery, []);
        var corrected = await _store.CorrectPlansAsync(cancellationToken).ConfigureAwait(false);
        if (corrected.Planned > 0)
        {
            _logger.PlansCorrected(corrected.Planned);
        }

        return recovery.Planned;
    }

    private async Task<IReadOnlyList<OverdueJob>> FindOverdueAsync()
    {
        IReadOnlyList<OverdueJob> known;
        lock (_lock)
        {
            known = _overdue;
        }

        var overdue = new List<OverdueJob>();
        foreach (var job in known)
        {
            var stored = await _store.FindByNameAsync(job.Name, CancellationToken.None).ConfigureAwait(false);
            if (stored is not null && OverdueJob.MayBe(stored, _time.GetUtcNow()))
            {
                overdue.Add(job);
            }
        }

        return overdue;
    }

    // Logs a problem when it appears, not at every recovery.
    private void Keep(JobRecovery recovery, IReadOnlyList<OverdueJob> overdue)
    {
        IEnumerable<UnplannableJob> fresh;
        lock (_lock)
        {
            HashSet<UnplannableJob> current = [.. recovery.Unplannable];
            fresh = current.Except(_known).ToList();
            (_known, _overdue) = (current, overdue);
        }

        _stillOverdue.Expire();
        foreach (var job in fresh)
        {
            _logger.JobUnplannable(job.Name, job.Problem);
        }
    }
}
