using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Storage;

namespace TaskRecovery.Recovery;

/// <summary>Plans the jobs that have no planned run, logs the jobs that this node can't plan, and keeps what does not run for the health
/// check.</summary>
internal sealed class JobPlanner(IJobStore store, ILogger<JobPlanner> logger)
{
    private readonly Lock _lock = new();
    private readonly ILogger _logger = logger.Guarded();
    private HashSet<UnplannableJob> _known = [];
    private IReadOnlyList<OverdueJob> _overdue = [];

    /// <summary>The jobs without a planned run that this node could not plan when it last tried.</summary>
    public IReadOnlyList<UnplannableJob> ListUnplannable()
    {
        lock (_lock)
        {
            return [.. _known];
        }
    }

    /// <summary>The jobs whose planned run was overdue when this node last looked.</summary>
    public IReadOnlyList<OverdueJob> ListOverdue()
    {
        lock (_lock)
        {
            return _overdue;
        }
    }

    /// <summary>Resumes the jobs whose pause has ended, and plans the jobs that have no planned run.</summary>
    /// <returns>The number of jobs that had none.</returns>
    public async Task<int> RecoverAsync(CancellationToken cancellationToken)
    {
        var recovery = await store.RecoverJobsAsync(cancellationToken).ConfigureAwait(false);
        Keep(recovery);
        return recovery.Planned;
    }

    /// <summary>Plans everything as at start-up: the rules of a time zone may have changed since a run was planned.</summary>
    /// <returns>The number of jobs that had no planned run.</returns>
    public async Task<int> RecoverAtStartAsync(CancellationToken cancellationToken)
    {
        var planned = await RecoverAsync(cancellationToken).ConfigureAwait(false);
        var corrected = await store.CorrectPlansAsync(cancellationToken).ConfigureAwait(false);
        if (corrected.Planned > 0)
        {
            _logger.PlansCorrected(corrected.Planned);
        }

        return planned;
    }

    // Logs a problem when it appears, not at every recovery.
    private void Keep(JobRecovery recovery)
    {
        IEnumerable<UnplannableJob> fresh;
        lock (_lock)
        {
            HashSet<UnplannableJob> current = [.. recovery.Unplannable];
            fresh = current.Except(_known).ToList();
            (_known, _overdue) = (current, recovery.Overdue);
        }

        foreach (var job in fresh)
        {
            _logger.JobUnplannable(job.Name, job.Problem);
        }
    }
}
