using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Rules;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Claims;

/// <summary>Polls the store for all queues of the node: finds due entries for which no hint came, and cancel requests.</summary>
internal sealed class PollLoop
{
    /// <summary>A handler that has not returned this long after its token was cancelled is unresponsive.</summary>
    internal static readonly TimeSpan UnresponsiveAfter = TimeSpan.FromSeconds(5);

    // New kinds appear only with deployments, so an occasional check is enough.
    private const int PollsPerSearchForUnknownKinds = 30;

    // At least so many polls a second of all nodes of a line together read the whole queue, and so does at least every third poll of each
    // node, because only some of the nodes may have room. The other polls read recent entries only.
    private const int WholePollsOfAll = 8;
    private const int MostPollsPerWholePoll = 3;

    // A poll for recent entries sees all that became due since the poll before it only if that was not long ago. The second less is for
    // transactions that were open for a while.
    private static readonly TimeSpan LongestBeforeRecent = TimeSpan.FromSeconds(PollLimits.RecentSeconds - 1);

    // A poll leaves new entries to another node for this time. The next poll comes earlier by it, so that no entry waits longer than the
    // interval.
    private static readonly TimeSpan LeftFor = TimeSpan.FromMilliseconds(PollLimits.NewMilliseconds);

    // Any login of the database can send any number of hints, so this limits the polls that they cause. It also limits those for entries
    // that become due one after the other.
    private static readonly TimeSpan BetweenPolls = TimeSpan.FromMilliseconds(20);

    // If a node that does not listen got work by a poll, those that listen do not take all of it, so there may be more soon.
    private static readonly TimeSpan WhileOthersAreFull = TimeSpan.FromMilliseconds(100);

    private readonly IReadOnlyDictionary<string, QueueWorker> _queues;
    private readonly WorkServices _services;
    private readonly LoopHealth _health;
    private readonly HashSet<string> _unknownKinds = new(StringComparer.Ordinal);
    private string[]? _queueNames;
    private int _polls;
    private long _polledAt;
    private long? _succeededAt;
    private TimeSpan? _nextDue;
    private bool _isAnyDue = true;
    private bool _findsWork;
    private TimeSpan _soon = WhileOthersAreFull;
    private bool _leavesWork;

    // At random, because nodes that were started together would poll the whole queue at the same moments.
    private int _successes = Random.Shared.Next(MostPollsPerWholePoll);
    private bool _mustBeWhole;

    public PollLoop(IReadOnlyDictionary<string, QueueWorker> queues, WorkServices services)
    {
        _queues = queues;
        _services = services;
        _health = services.Outages.Watch("polling");
    }

    /// <summary>Polls without waiting for the interval.</summary>
    public void PollNow() => _services.Polls.Now.Set();

    /// <summary>Polls until it is cancelled. Survives every error of the store.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var isRequested = await WaitAsync(cancellationToken).ConfigureAwait(false);
                if (isRequested && BetweenPolls - _services.Time.GetElapsedTime(_polledAt) is var rest && rest > TimeSpan.Zero)
                {
                    await Task.Delay(rest, _services.Time, cancellationToken).ConfigureAwait(false);
                }

                _polledAt = _services.Time.GetTimestamp();

                // A queue may have been resumed, or more may wait than the first node of the line can take.
                _mustBeWhole |= isRequested || _findsWork;
                _findsWork = false;
                _services.Polls.ForgetWork();
                if (await PollOnceAsync(cancellationToken).ConfigureAwait(false))
                {
                    _health.Succeeded();
                }
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // The error of a call that is aborted because the host stops is not an outage.
                return;
            }
            catch (Exception exception)
            {
                (_nextDue, _isAnyDue) = (null, true);
                _health.Failed(exception);
            }
        }
    }

    /// <summary>Whether a run has ignored its cancellation for too long.</summary>
    internal static bool IsUnresponsive(WorkRun run) => run.StopReason != StopReason.None && run.SinceStop > UnresponsiveAfter;

    /// <summary>With every how many polls a node that leaves its queues to another node reads the whole of them.</summary>
    /// <param name="nodes">How many nodes stand in the same line.</param>
    internal static int PollsPerWholePoll(int nodes) => Math.Clamp(nodes / WholePollsOfAll, 1, MostPollsPerWholePoll);

    /// <summary>Whether a poll of a node that leaves its queues to another node reads the whole of them.</summary>
    /// <param name="poll">How many polls have succeeded before.</param>
    /// <param name="nodes">How many nodes stand in the same line.</param>
    /// <param name="sinceLast">The time since the last poll that succeeded; <see langword="null"/> if none has.</param>
    internal static bool IsWhole(int poll, int nodes, TimeSpan? sinceLast)
        => poll % PollsPerWholePoll(nodes) == 0 || !(sinceLast <= LongestBeforeRecent);

    /// <summary>Polls once: reports unresponsive handlers, releases stale entries, wakes due queues, applies cancel requests, and logs
    /// unknown kinds.</summary>
    /// <returns>Whether the store was asked; not while the node has no lease.</returns>
    internal async Task<bool> PollOnceAsync(CancellationToken cancellationToken)
    {
        ReportUnresponsiveHandlers();
        foreach (var queue in _queues.Values)
        {
            queue.Executors.ReleaseStale();
        }

        if (_services.CurrentNode.Node is not { Lease: not null } node)
        {
            (_nextDue, _isAnyDue) = (null, true);
            return false;
        }

        var withUnknownKinds = _polls++ % PollsPerSearchForUnknownKinds == 0;
        _queueNames ??= [.. _queues.Keys];
        string[] left = [.. _queueNames.Where(_services.Turns.Leaves)];
        _leavesWork = left.Length > 0;
        var askedAt = _services.Time.GetTimestamp();
        TimeSpan? sinceLast = _succeededAt is { } at ? _services.Time.GetElapsedTime(at, askedAt) : null;
        var isWhole = IsWhole(_successes, _services.Turns.Nodes, sinceLast) || _mustBeWhole;
        var request = new PollRequest(node.Id, _queueNames, _services.Kinds.WorkedKinds, withUnknownKinds)
        {
            Claims = node.Claims.List(),
            LeftQueues = left,
            OnlyRecent = _leavesWork && left.Length == _queueNames.Length && !isWhole,
        };
        var result = await _services.Store.PollAsync(request, cancellationToken).ConfigureAwait(false);
        (_nextDue, _isAnyDue) = (result.NextDue, result.DueQueues.Count > 0);
        (_succeededAt, _mustBeWhole) = (askedAt, false);
        _successes++;
        foreach (var due in result.DueQueues)
        {
            if (_queues.TryGetValue(due, out var queue))
            {
                _findsWork |= !_services.Turns.Listens && !queue.Claimer.IsFull;
                queue.Claimer.Wake(fromFront: true);
            }
        }

        if (_findsWork)
        {
            _soon = WhileOthersAreFull
                + ClaimPlan.Rest(
                    _queueNames.Max(_services.Turns.NodesOf), _services.Time.GetElapsedTime(askedAt), Random.Shared.NextDouble());
        }

        foreach (var queue in _queues.Values)
        {
            queue.Executors.RequestCancels(result.CancelRequests, askedAt);
        }

        foreach (var kind in result.UnknownKinds.Where(_unknownKinds.Add))
        {
            _services.Logger.UnknownKind(EntryText.Shown(kind));
        }

        return true;
    }

    // Returns whether a poll was requested.
    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        var wait = _services.Polls.Wait(HasNothingToDo, _nextDue);
        wait -= _leavesWork && wait > LeftFor ? LeftFor : TimeSpan.Zero;
        if (_findsWork && wait > _soon)
        {
            if (await _services.Polls.Now.WaitAsync(_soon, _services.Time, cancellationToken).ConfigureAwait(false))
            {
                return true;
            }

            if (_services.Polls.HasWorkBegun)
            {
                return false;
            }

            wait -= _soon;
        }

        return await _services.Polls.Now.WaitAsync(UntilDue(wait), _services.Time, cancellationToken).ConfigureAwait(false);
    }

    // A claim that took entries has not learned when the next one becomes due, and other nodes leave that entry to this one. A poll reports
    // only the entries that this node does not leave itself. Where a node rests between its polls, a poll costs more than it is worth, and
    // claims learn it.
    private TimeSpan UntilDue(TimeSpan wait)
    {
        if (!_services.Turns.Listens || _services.Store.Traits.IdlePollInterval is not null
            || _nextDue is not { } due || due >= wait)
        {
            return wait;
        }

        return due > BetweenPolls ? due : BetweenPolls;
    }

    // An entry that runs, waits in a buffer or has an outcome that is not stored yet belongs to a claim that this node holds.
    private bool HasNothingToDo() => !_isAnyDue && _services.CurrentNode.Node?.Claims.Count == 0;

    private void ReportUnresponsiveHandlers()
    {
        var runs = _queues.Values.SelectMany(queue => queue.Executors.Runs);
        foreach (var run in runs.Where(run => IsUnresponsive(run) && !run.IsReportedUnresponsive))
        {
            run.IsReportedUnresponsive = true;
            _services.Logger.HandlerUnresponsive(run.Entry.Id, run.Entry.Kind, run.SinceStop, run.StopReason);
        }
    }
}
