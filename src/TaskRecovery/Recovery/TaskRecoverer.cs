using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Recovery;

/// <summary>Recovers the entries of dead nodes, repairs tasks, and logs the result. Any number of nodes may run it concurrently.</summary>
internal sealed class TaskRecoverer(
    IRecoveryStore queue, IJobStore jobs, IClaimWaker waker, Metrics metrics,
    IOptions<TaskRecoveryOptions> options, ILogger<TaskRecoverer> logger)
{
    private readonly ILogger _logger = logger.Guarded();

    private RecoveryOptions Options => options.Value.Recovery;

    /// <summary>Runs task recovery: sweeps the claims of dead nodes until none is left, then repairs the tasks whose entry is missing or
    /// has ended. If a node can't be swept, all the rest is done, and the report has the error.</summary>
    public Task<RecoveryReport> RecoverOnceAsync(CancellationToken cancellationToken)
        => RecoverOnceAsync(audit: null, cancellationToken);

    /// <summary>As the other method, at the request of an operator, which is recorded with what was recovered.</summary>
    public async Task<RecoveryReport> RecoverOnceAsync(AuditInfo? audit, CancellationToken cancellationToken)
    {
        List<RecoveryItem> items = [];
        RecoveryReport swept;
        do
        {
            swept = await SweepOnceAsync(audit, cancellationToken).ConfigureAwait(false);
            items.AddRange(swept.Items);
        }
        while (swept is { Items.Count: > 0, Failure: null });

        var repaired = await jobs.RecoverTasksAsync(Options.MaxRecoveryAge, Options.MaxCrashes, audit, cancellationToken)
            .ConfigureAwait(false);
        LogReport(repaired, isSweep: false);
        items.AddRange(repaired.Items);
        return items.Count == 0 && swept.Failure is null
            ? RecoveryReport.Empty
            : new RecoveryReport(items) { Failure = swept.Failure };
    }

    /// <summary>Sweeps the claims of dead nodes once. If a node can't be swept, the report has the error.</summary>
    public Task<RecoveryReport> SweepOnceAsync(CancellationToken cancellationToken) => SweepOnceAsync(audit: null, cancellationToken);

    /// <summary>Logs that the sweep finds nothing although heartbeats report a dead node with entries.</summary>
    public void LogHeldBack() => _logger.WorkHeldBack();

    private async Task<RecoveryReport> SweepOnceAsync(AuditInfo? audit, CancellationToken cancellationToken)
    {
        var report = await queue.SweepAsync(Options.MaxCrashes, audit, cancellationToken).ConfigureAwait(false);
        LogReport(report, isSweep: true);
        return report;
    }

    private void LogReport(RecoveryReport report, bool isSweep)
    {
        if (report.Items.Count == 0)
        {
            return;
        }

        // Wake the claimers before logging, so that they claim the entries meanwhile.
        waker.WakeAll();
        Guard.Notify((metrics, report), static call => call.metrics.Recovered(call.report));
        foreach (var item in report.Items)
        {
            if (item.Action == RecoveryAction.Closed)
            {
                LogClosed(item);
            }
            else
            {
                LogRecovered(item, !isSweep ? "its entry was missing" : item.NodeDied ? "the node died" : "the node left");
            }
        }

        _logger.RecoveryDone(report.Recovered, report.Closed);
    }

    private void LogRecovered(RecoveryItem item, string cause)
    {
        if (item.TaskId is not null)
        {
            _logger.RecoveredTask(item.TaskId, item.EntryId, Shown(item.Kind), Shown(item.Node), cause, item.Crashes);
        }
        else
        {
            _logger.RecoveredEntry(item.EntryId, Shown(item.Kind), Shown(item.Node), cause, item.Crashes);
        }
    }

    private void LogClosed(RecoveryItem item)
    {
        // Only a completed entry ends without a reason.
        var reason = item.Reason ?? "its entry has completed";
        if (item.TaskId is not null)
        {
            _logger.ClosedTask(item.TaskId, item.EntryId, Shown(item.Kind), Shown(item.Node), reason, item.Crashes);
        }
        else
        {
            _logger.EndedEntry(item.EntryId, Shown(item.Kind), Shown(item.Node), reason, item.Crashes);
        }
    }

    private static string? Shown(string? stored) => stored is null ? null : EntryText.Shown(stored);
}
