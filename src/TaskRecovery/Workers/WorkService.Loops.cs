using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>The two loops that serve all queues of the node: the poll, and the store's hints.</summary>
internal sealed partial class WorkService
{
    /// <summary>A handler that has not returned this long after its token was cancelled is unresponsive.</summary>
    internal static readonly TimeSpan UnresponsiveAfter = TimeSpan.FromSeconds(5);

    // New kinds appear only with deployments, so an occasional check is enough.
    private const int PollsPerLookForUnknownKinds = 30;

    // Any login of the database can send any number of hints, so this limits the polls that they cause.
    private static readonly TimeSpan BetweenHints = TimeSpan.FromMilliseconds(20);

    private readonly Signal _pollNow = new();
    private readonly OutageReporter _pollState;
    private readonly OutageReporter _listenState;
    private readonly HashSet<string> _unknownKinds = new(StringComparer.Ordinal);
    private int _polls;
    private long _polledAt;

    /// <summary>Polls once: reports unresponsive handlers, releases stale entries, removes settled claims, wakes due queues, applies cancel
    /// requests, and logs unknown kinds.</summary>
    internal async Task PollOnceAsync(CancellationToken cancellationToken)
    {
        ReportUnresponsiveHandlers();
        foreach (var queue in _queues.Values)
        {
            queue.ReleaseStale();
        }

        if (_services.Lives.Node is not { Lease: not null } life)
        {
            return;
        }

        await _settled.RemoveAsync(cancellationToken).ConfigureAwait(false);
        var withUnknownKinds = _polls++ % PollsPerLookForUnknownKinds == 0;
        var request = new PollRequest(life.Id, _queues.Keys, _services.Kinds.WorkedKinds, withUnknownKinds) { Claims = life.Claims.List() };
        var askedAt = _services.Time.GetTimestamp();
        var result = await _services.Store.PollAsync(request, cancellationToken).ConfigureAwait(false);
        foreach (var due in result.DueQueues)
        {
            if (_queues.TryGetValue(due, out var queue))
            {
                queue.Wake(fromFront: true);
            }
        }

        foreach (var queue in _queues.Values)
        {
            queue.RequestCancels(result.CancelRequests, askedAt);
        }

        foreach (var kind in result.UnknownKinds.Where(_unknownKinds.Add))
        {
            _logger.UnknownKind(EntryText.Shown(kind));
        }
    }

    private async Task PollLoopAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (await _pollNow.WaitAsync(_services.Store.Traits.PollInterval, _services.Time, cancellationToken).ConfigureAwait(false)
                    && BetweenHints - _services.Time.GetElapsedTime(_polledAt) is var rest && rest > TimeSpan.Zero)
                {
                    await Task.Delay(rest, _services.Time, cancellationToken).ConfigureAwait(false);
                }

                _polledAt = _services.Time.GetTimestamp();
                await PollOnceAsync(cancellationToken).ConfigureAwait(false);
                _pollState.Succeeded();
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // The error of a call that is aborted because the host stops is not an outage.
                return;
            }
            catch (Exception exception)
            {
                _pollState.Failed(exception);
            }
        }
    }

    private async Task ListenLoopAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await _services.Lives.WaitForLeaseAsync(cancellationToken).ConfigureAwait(false);
                await _services.Signals.ListenAsync(OnHint, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                _listenState.Failed(exception);
            }

            var wait = RetryPolicy.Backoff(Math.Max(_listenState.Failures, 1), Random.Shared.NextDouble());
            await Task.Delay(wait, _services.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void OnHint(StoreHint hint)
    {
        switch (hint.Kind)
        {
            case StoreHintKind.Work when hint.Queue is { } name:
                if (_queues.TryGetValue(name, out var queue))
                {
                    queue.Wake(fromFront: false);
                }

                break;
            case StoreHintKind.Control:
                _pollNow.Set();
                break;
            case StoreHintKind.Connected:
                _listenState.Succeeded();
                _localClaimers.WakeAll();
                break;
            default:
                _localClaimers.WakeAll();
                break;
        }
    }

    private static bool IsUnresponsive(WorkRun run) => run.StopReason != StopReason.None && run.SinceStop > UnresponsiveAfter;

    private void ReportUnresponsiveHandlers()
    {
        foreach (var run in _queues.Values.SelectMany(queue => queue.Runs).Where(run => IsUnresponsive(run) && !run.IsReportedUnresponsive))
        {
            run.IsReportedUnresponsive = true;
            _logger.HandlerUnresponsive(run.Entry.Id, run.Entry.Kind, run.SinceStop, run.StopReason);
        }
    }
}
