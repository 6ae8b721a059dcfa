using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Queue;
using TaskRecovery.Rules;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Claims;

/// <summary>Runs the queues of this process: starts their loops when the host starts, and ends them when it stops.</summary>
internal sealed class WorkService : IHostedLifecycleService, IUnresponsiveHandlers, IDisposable
{
    // How long a cancelled call of the store has to end, as a part of FlushTime. Only a store that does not react to a cancellation takes
    // all of it.
    private static readonly TimeSpan AbortTime = TimeSpan.FromMilliseconds(500);

    private readonly WorkServices _services;
    private readonly RunningWork _running;
    private readonly OutcomeWriter _outcomes;
    private readonly ClaimRemover _claims;
    private readonly IReadOnlyList<ILastRound> _lastRounds;
    private readonly LocalClaimers _localClaimers;
    private readonly ClaimWaker _waker;
    private readonly INodeRole _role;
    private readonly TaskRecoveryOptions _options;
    private readonly ILogger _logger;
    private readonly PollLoop _poll;
    private readonly HintLoop _hints;
    private readonly Dictionary<string, QueueWorker> _queues = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopClaiming = new();
    private readonly CancellationTokenSource _stopLoops = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly CancellationTokenSource _hurry = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isStopping;
    private Task _claimLoops = Task.CompletedTask;
    private Task _loops = Task.CompletedTask;

    public WorkService(
        WorkServices services, RunningWork running, OutcomeWriter outcomes,
        ClaimRemover claims, LocalClaimers localClaimers, ClaimWaker waker, INodeRole role,
        IEnumerable<ILastRound> lastRounds, IOptions<TaskRecoveryOptions> options, ILogger<WorkService> logger)
    {
        _services = services;
        _outcomes = outcomes;
        _claims = claims;
        _lastRounds = [.. lastRounds];
        _localClaimers = localClaimers;
        _waker = waker;
        _role = role;
        _options = options.Value;
        _logger = logger.Guarded();
        _running = running;
        _poll = new PollLoop(_queues, services);
        _hints = new HintLoop(_queues, _poll, waker, services);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!_role.Works)
        {
            return Task.CompletedTask;
        }

        _services.Runners.Create();
        foreach (var (name, options) in ServedQueues(_options))
        {
            var queue = new QueueWorker(name, options, _services);
            _queues.Add(name, queue);
            _localClaimers.Register(name, queue.Claimer);
            _logger.QueueStarted(name, options.Concurrency, string.Join(", ", _services.Kinds.WorkedKinds));
        }

        WarnOfHostLimit();
        _services.Turns.Serve(_queues, _services.Kinds.WorkedKinds);
        _running.Watch(() => _queues.Values.SelectMany(static queue => queue.Executors.Runs));
        _waker.RegisterPoll(_poll.PollNow);
        _claimLoops = Task.WhenAll(
            _queues.Values.Select(queue => Background.Run(() => queue.Claimer.ClaimLoopAsync(_stopClaiming.Token, _abort.Token))));
        _loops = Task.WhenAll(
            Background.Run(() => _poll.RunAsync(_stopLoops.Token)), Background.Run(() => _hints.RunAsync(_stopLoops.Token)));
        return Task.CompletedTask;
    }

    /// <summary>Begins the stop, and does not wait for it. A host stops its services one after the other: if each instance of TaskRecovery
    /// began when its turn came, those whose turn is late would continue to claim, and the host's time would end before theirs.</summary>
    /// <param name="cancellationToken">As for <see cref="StopAsync"/>, which waits for the stop and throws its error.</param>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        StopAsync(cancellationToken).ObserveFailure();
        return Task.CompletedTask;
    }

    /// <summary>Stops claiming, and lets running handlers finish for up to <see cref="TaskRecoveryOptions.ShutdownTimeout"/>. After that,
    /// cancels them and releases their entries without spending an attempt. Heartbeats continue meanwhile.</summary>
    /// <remarks>A host may be stopped and disposed while it is stopping: if code calls <c>StopAsync</c> of the host, that wakes
    /// <c>RunAsync</c>, which stops the host too and then disposes it. There is one stop, and every call waits until it has ended. If a
    /// call returned earlier, its host would let the node leave while handlers run.</remarks>
    /// <param name="cancellationToken">If cancelled, the stop no longer waits for <see cref="TaskRecoveryOptions.ShutdownTimeout"/>, also
    /// if an earlier call has begun it.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var hurry = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).TryCancel(), _hurry);
        if (Interlocked.Exchange(ref _isStopping, 1) == 0)
        {
            _services.CurrentNode.ReportDraining(_stopped.Task);
            try
            {
                await StopOnceAsync().ConfigureAwait(false);
                _stopped.TrySetResult();
            }
            catch (Exception exception)
            {
                // Thrown by every call, because the one that began the stop may have no caller that waits for it.
                _stopped.TrySetException(exception);
            }
        }

        await _stopped.Task.ConfigureAwait(false);
    }

    /// <summary>Stops without waiting for running handlers if the host was disposed without having been stopped, and ends the wait for them
    /// if it was disposed while it is stopping. The node can then leave, so that other nodes need not wait for its lease to
    /// expire.</summary>
    public void Dispose()
    {
        // An error would keep the container from disposing the services that come after this one.
        StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        if (_stopped.Task.IsCompletedSuccessfully)
        {
            _services.CurrentNode.ReportDrained();
        }

        _stopClaiming.CancelAndDispose();
        _abort.CancelAndDispose();
        _stopLoops.CancelAndDispose();
        _hurry.CancelAndDispose();
    }

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public IReadOnlyList<UnresponsiveHandler> List()
        => [.. _queues.Values.SelectMany(queue => queue.Executors.Runs)
            .Where(PollLoop.IsUnresponsive)
            .Select(run => new UnresponsiveHandler(run.Entry.Id, run.Entry.Kind, run.StopReason, run.SinceStop))];

    internal static IEnumerable<(string Name, QueueOptions Options)> ServedQueues(TaskRecoveryOptions options)
    {
        foreach (var (name, queue) in options.Queues)
        {
            yield return (name, queue);
        }

        if (options.ServeDefaultQueue && !options.Queues.ContainsKey(EntryLimits.DefaultQueue))
        {
            yield return (EntryLimits.DefaultQueue, new QueueOptions());
        }
    }

    // Limits after ShutdownTimeout: CancelTime for handlers that react to their cancellation, FlushTime for storing the remaining outcomes.
    // By default all three add up to less than the host's 30 s. All are real time: if a test's clock stood still, a stop would never end.
    private TimeSpan CancelTime => _services.Limits.CancelTime;

    private TimeSpan FlushTime => _services.Limits.FlushTime;

    private int Running => _queues.Values.Sum(queue => queue.Executors.Running);

    private void WarnOfHostLimit()
    {
        using var scope = _services.Scopes.CreateScope();
        if (HostLimit.Find(scope.ServiceProvider) is { } limit && limit < _options.ShutdownTimeout + CancelTime + FlushTime)
        {
            _logger.HostLimitTooShort(limit, _options.ShutdownTimeout, CancelTime + FlushTime);
        }
    }

    private async Task StopOnceAsync()
    {
        // Nothing is awaited before all three have taken effect, because a starved thread pool would delay what follows an await: no entry
        // starts any more, and every handler can see the stop.
        _services.Turns.BeginStopping();
        var claimingEnds = _stopClaiming.CancelAsync();
        var waiting = _queues.Values.Sum(queue => queue.Executors.StopStarting());

        // Not awaited: it ends with the last callback of a handler, which may block until the handler's own token is cancelled. And not
        // earlier: the code after a handler's wait for this token may run in such a callback, and no other entry may start after it.
        _ = _services.BeginStoppingAsync();
        await claimingEnds.ConfigureAwait(false);
        if (_queues.Count == 0)
        {
            await RunLastRoundsAsync(FlushTime).ConfigureAwait(false);
            return;
        }

        _logger.Draining(Running, waiting);
        FaultPoints.Reach(FaultPoints.ShutdownMiddle);
        await WaitUntilIdleAsync(_options.ShutdownTimeout, _hurry.Token).ConfigureAwait(false);

        if (Running is > 0 and var running)
        {
            _logger.CancellingForShutdown(running);
            foreach (var queue in _queues.Values)
            {
                queue.Executors.StopRuns(StopReason.Shutdown);
            }

            // Even if the host no longer waits, store the outcomes of the handlers that react to their cancellation promptly.
            await WaitUntilIdleAsync(CancelTime, CancellationToken.None).ConfigureAwait(false);
        }

        foreach (var queue in _queues.Values)
        {
            queue.Executors.GiveUpRuns();
        }

        await FlushAsync().ConfigureAwait(false);
    }

    // Every later stop and the dispose wait for this one, so no wait for the store is without a limit.
    private async Task FlushAsync()
    {
        var began = TimeProvider.System.GetTimestamp();
        using var drain = new CancellationTokenSource(FlushTime - AbortTime, TimeProvider.System);

        // Wait for the answer of a claim in progress, so that its entries are released at once instead of being recovered by other nodes.
        // If the claim hangs, time is left to store the outcomes and to cancel what is left.
        await _claimLoops.WaitOrLeaveAsync(FlushTime - (3 * AbortTime)).ConfigureAwait(false);
        await Task.WhenAll(_abort.CancelAsync(), _claimLoops).WaitOrLeaveAsync(AbortTime).ConfigureAwait(false);
        if (await _outcomes.DrainAsync(drain.Token).ConfigureAwait(false) is > 0 and var left)
        {
            _logger.OutcomesLeft(left);
        }

        await Task.WhenAll(_outcomes.GiveUpAsync(), _stopLoops.CancelAsync(), _loops).WaitOrLeaveAsync(AbortTime).ConfigureAwait(false);

        // If this fails, a sweep of another node removes the claims.
        await CallOrLeaveAsync(_claims.RemoveOnceAsync, Rest()).ConfigureAwait(false);
        await RunLastRoundsAsync(Rest()).ConfigureAwait(false);

        TimeSpan Rest()
        {
            var rest = FlushTime - TimeProvider.System.GetElapsedTime(began);
            return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
        }
    }

    private Task RunLastRoundsAsync(TimeSpan limit)
        => CallOrLeaveAsync(token => Task.WhenAll(_lastRounds.Select(loop => loop.RunLastRoundAsync(token))), limit);

    // The wait ends by its own timer and not by the token of the call. The callbacks of a token run one after the other, and the one with
    // which a driver cancels its statement takes seconds if the server does not answer. The source is not disposed: if the wait ends before
    // the source's timer, the timer still has to cancel the call.
    private static Task CallOrLeaveAsync(Func<CancellationToken, Task> call, TimeSpan limit)
        => call(new CancellationTokenSource(limit, TimeProvider.System).Token).WaitOrLeaveAsync(limit);

    private async Task WaitUntilIdleAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limit, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var idle = Task.WhenAll(_queues.Values.Select(queue => queue.Executors.WaitUntilIdleAsync(either.Token)));
        await idle.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
