using Microsoft.Extensions.Diagnostics.HealthChecks;
using TaskRecovery.Nodes;
using TaskRecovery.Recovery;
using TaskRecovery.Storage;

namespace TaskRecovery.Diagnostics;

/// <summary>Whether this process can do its work: the start-up hook is through, the store answers, the node's lease is valid, nothing waits too long, every handler listens.</summary>
internal sealed class TaskRecoveryHealthCheck(
    IQueueStore store, INodeLives lives, INodeRole role, StartupGate gate, StartupRecovery startup, IEnumerable<IDeafHandlers> deaf,
    IEnumerable<IFailingLoops> loops, TimeSpan oldestWaitingLimit)
    : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var failure = context.Registration.FailureStatus;
        if (!gate.IsOpen)
        {
            return new HealthCheckResult(failure, "The start-up hook is not through: nothing is claimed until the store is there.", startup.Failure);
        }

        IReadOnlyList<QueueDepth> depths;
        try
        {
            depths = await store.MeasureAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (TaskRecoveryException exception)
        {
            return new HealthCheckResult(failure, "The store does not answer.", exception);
        }

        var life = lives.Life;
        var data = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var depth in depths)
        {
            data[$"queue.{depth.Queue}.due"] = depth.Due;
            data[$"queue.{depth.Queue}.oldest_seconds"] = depth.OldestAge.TotalSeconds;
        }

        if (life is not null)
        {
            data["node"] = life.Name;
            data["node_id"] = life.Id;
        }

        return role.Works && life?.Lease is null
            ? new HealthCheckResult(failure, "This node has no valid lease: its beats do not get through, and it starts nothing until one does.", data: data)
            : Judge(depths, [.. deaf.SelectMany(handlers => handlers.List())], [.. loops.SelectMany(loop => loop.ListFailing())], oldestWaitingLimit, data);
    }

    private static HealthCheckResult Judge(
        IReadOnlyList<QueueDepth> depths, IReadOnlyList<DeafHandler> deaf, IReadOnlyList<string> failing, TimeSpan limit, Dictionary<string, object> data)
    {
        List<string> problems =
        [
            .. failing.Select(loop => $"{loop} keeps failing, and the log says why (event 1002)"),
            .. depths.Where(depth => depth.OldestAge > limit)
                .Select(depth => $"queue {depth.Queue} has had an entry due for {depth.OldestAge.TotalSeconds:0} s (limit {limit.TotalSeconds:0} s)"),
            .. deaf.Select(handler => $"the handler of entry {handler.EntryId} ({handler.Kind}) goes on {handler.Since.TotalSeconds:0} s after its token fired ({handler.Reason})"),
        ];
        return problems.Count == 0 ? HealthCheckResult.Healthy(data: data) : HealthCheckResult.Degraded(string.Join("; ", problems) + ".", data: data);
    }
}
