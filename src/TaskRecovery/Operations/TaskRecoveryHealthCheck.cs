using Microsoft.Extensions.Diagnostics.HealthChecks;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Recovery;
using TaskRecovery.Startup;
using TaskRecovery.Storage;

namespace TaskRecovery.Operations;

/// <summary>Checks whether this process can do its work: the start-up hook is complete, the store answers, the node's lease is valid, no
/// loop keeps failing, no entry waits too long, every job can be planned and runs, and no handler ignores its cancellation.</summary>
/// <remarks>Without details, the result contains nothing that an anonymous caller should not know: no queue, kind, host or entry, and no
/// exception, because its message can contain the database's host and role.</remarks>
internal sealed class TaskRecoveryHealthCheck(
    QueueDepths queues, ICurrentNode currentNode, INodeRole role, StartupGate gate,
    StartupRecovery startup, IEnumerable<IUnresponsiveHandlers> unresponsive,
    IEnumerable<IFailingLoops> loops, JobPlanner jobs, HealthCheckSettings settings)
    : IHealthCheck
{
    private bool ShowsDetails => settings.IncludeDetails;

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var failure = context.Registration.FailureStatus;
        if (!gate.IsOpen)
        {
            return new HealthCheckResult(
                failure, "Start-up recovery is not complete: nothing is claimed until the store is available.",
                ShowsDetails ? startup.Failure : null);
        }

        IReadOnlyList<QueueDepth> depths;
        IReadOnlyList<OverdueJob> overdue;
        try
        {
            depths = await queues.ReadAsync(cancellationToken).ConfigureAwait(false);
            overdue = await jobs.ListOverdueAsync(settings.OldestDueLimit, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskRecoveryException exception)
        {
            return new HealthCheckResult(failure, "The store does not answer.", ShowsDetails ? exception : null);
        }

        var node = currentNode.Node;
        var data = DataOf(depths, node);
        return role.Works && node?.Lease is null
            ? new HealthCheckResult(
                failure, "This node has no valid lease: its heartbeats do not succeed, and it starts nothing until one does.", data: data)
            : Judge(
                depths, overdue, [.. unresponsive.SelectMany(handlers => handlers.List())],
                [.. loops.SelectMany(loop => loop.ListFailing())], data);
    }

    private Dictionary<string, object> DataOf(IReadOnlyList<QueueDepth> depths, Node? node)
    {
        var data = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["due"] = depths.Sum(depth => depth.Due),
            ["oldest_seconds"] = depths.Select(depth => depth.OldestAge.TotalSeconds).DefaultIfEmpty().Max(),
        };
        if (depths.Count > 0 && depths[0].QueuesSkipped > 0)
        {
            data["queues_skipped"] = depths[0].QueuesSkipped;
        }

        if (!ShowsDetails)
        {
            return data;
        }

        foreach (var depth in depths)
        {
            data[$"queue.{depth.Queue}.due"] = depth.Due;
            data[$"queue.{depth.Queue}.oldest_seconds"] = depth.OldestAge.TotalSeconds;
        }

        if (node is not null)
        {
            data["node"] = node.Name;
            data["node_id"] = node.Id;
        }

        return data;
    }

    private HealthCheckResult Judge(
        IReadOnlyList<QueueDepth> depths, IReadOnlyList<OverdueJob> overdue, IReadOnlyList<UnresponsiveHandler> unresponsive,
        IReadOnlyList<string> failing, Dictionary<string, object> data)
    {
        var limit = settings.OldestDueLimit;
        var late = depths.Where(depth => depth.OldestAge > limit).ToList();
        var unplannable = jobs.ListUnplannable();
        List<string> problems = ShowsDetails
            ?
            [
                .. failing.Select(loop => $"{loop} keeps failing, and the log says why (events 1002 and 3080)"),
                .. late.Select(depth
                    => $"queue {depth.Queue} has had an entry due for {depth.OldestAge.TotalSeconds:0} s (limit {limit.TotalSeconds:0} s)"),
                .. unplannable.Select(job => $"job {job.Name} can't be planned by this node: {job.Problem.TrimEnd('.')}"),
                .. overdue.Select(job
                    => $"job {job.Name} has been due for {job.By.TotalSeconds:0} s and does not start (limit {limit.TotalSeconds:0} s)"),
                .. unresponsive.Select(handler => $"the handler of entry {handler.EntryId} ({handler.Kind}) has ignored cancellation "
                    + $"({handler.Reason}) for {handler.Since.TotalSeconds:0} s"),
            ]
            : [.. Summarize(failing.Count, late, unplannable.Count, overdue.Count, unresponsive.Count, limit)];
        return problems.Count == 0
            ? HealthCheckResult.Healthy(data: data)
            : HealthCheckResult.Degraded(string.Join("; ", problems) + ".", data: data);
    }

    private static IEnumerable<string> Summarize(
        int failing, List<QueueDepth> late, int unplannable, int overdue, int unresponsive, TimeSpan limit)
    {
        if (failing > 0)
        {
            yield return $"loops that keep failing: {failing}, and the log says why (events 1002 and 3080)";
        }

        if (late.Count > 0)
        {
            yield return $"queues with an entry due for more than {limit.TotalSeconds:0} s: {late.Count}";
        }

        if (unplannable > 0)
        {
            yield return $"jobs that this node can't plan: {unplannable}, and the log says why (event 4006)";
        }

        if (overdue > 0)
        {
            yield return $"jobs that have been due for more than {limit.TotalSeconds:0} s and do not start: {overdue}";
        }

        if (unresponsive > 0)
        {
            yield return $"handlers that ignore their cancellation: {unresponsive}";
        }
    }
}
