using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Recovery;
using TaskRecovery.Storage;

namespace TaskRecovery.Startup;

/// <summary>The start-up hook. Before anything is claimed, it prepares the store, registers the node, recovers tasks, and then recovers
/// jobs.</summary>
internal sealed class StartupRecovery(
    IStoreLifecycle store, JobPlanner planner, NodeService node, TaskRecoverer recoverer,
    IEnumerable<IStartupStep> steps, StartupGate gate, INodeRole role,
    IOptions<TaskRecoveryOptions> options, TimeProvider time, ILogger<StartupRecovery> logger)
    : IHostedLifecycleService, IDisposable
{
    private static readonly Backoff Backoff = new(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(5));

    // Long enough for an available store: the first enqueue after the start succeeds, and a configuration that can't work makes the start
    // fail. A store that does not answer delays the start no longer than this.
    private static readonly TimeSpan FirstAttempt = TimeSpan.FromSeconds(5);

    // How long a stop waits for the hook. A driver may take longer to cancel a statement whose server does not answer, and a store may not
    // react to a cancellation; the host stops one service after the other.
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(2);

    // The hook is repeated every few seconds, and each of its errors is logged once until it succeeds. A message may have parts that
    // change.
    private const int MostLogged = 20;

    private readonly ILogger _logger = logger.Guarded();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _attempted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<(Type Type, string Message)> _logged = [];
    private Task? _running;

    /// <summary>The error that ended the last attempt; <see langword="null"/> if it succeeded, or before the first attempt has
    /// ended.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Runs the hook before any hosted service starts, so that a service which enqueues in its own start finds the store
    /// prepared.</summary>
    public Task StartingAsync(CancellationToken cancellationToken) => BeginAsync(cancellationToken);

    /// <summary>Runs the hook if the host does not call <see cref="StartingAsync"/>.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => BeginAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_stopping.CancelAsync(), _running ?? Task.CompletedTask).WaitOrLeaveAsync(StopTime, cancellationToken)
            .ConfigureAwait(false);
    }

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the hook if the host was disposed without having been stopped, and does not wait for it. The token's source is not
    /// disposed, because its callbacks may still run; without a timer it holds nothing.</summary>
    public void Dispose() => _stopping.CancelAsync().ObserveFailure();

    /// <summary>Runs the hook once. Every part is safe to repeat, so after a failure the whole hook is repeated.</summary>
    internal async Task RecoverOnceAsync(CancellationToken cancellationToken)
    {
        var registrations = gate.Registrations;
        await store.PrepareAsync(cancellationToken).ConfigureAwait(false);
        _logger.StorePrepared(store.Traits.System);
        if (!role.Works)
        {
            await RunStepsAsync(cancellationToken).ConfigureAwait(false);
            gate.Open();
            return;
        }

        // Register first: that declares this node's previous registration dead, so task recovery recovers its entries now.
        node.Begin();
        await RegisteredAsync(cancellationToken).ConfigureAwait(false);

        var report = await recoverer.RecoverOnceAsync(cancellationToken).ConfigureAwait(false);
        if (report.Failure is StoreConfigurationException)
        {
            // Without its grants or tables, the store would refuse the outcomes too, after the handlers have run.
            report.ThrowIfIncomplete();
        }

        if (report.Failure is { } failure)
        {
            _logger.NotAllRecovered(failure);
        }

        await RunStepsAsync(cancellationToken).ConfigureAwait(false);
        var planned = await planner.RecoverAtStartAsync(cancellationToken).ConfigureAwait(false);
        _logger.StartupDone(report.Recovered, report.Closed, planned);
        gate.Open(registrations);
    }

    /// <summary>Runs the hook again for each later registration. A node that was declared dead, or saw that the database has lost commits,
    /// may find different tables, without its names and its declared jobs.</summary>
    internal async Task RecoverOtherLivesAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await node.RegisteredAgain.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            await RecoverUntilDoneAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Repeats the hook until it succeeds or the host stops. Also returns if the first attempt fails with an error that a retry
    /// can't fix while the start still waits for it.</summary>
    internal async Task RecoverUntilDoneAsync(CancellationToken cancellationToken)
    {
        for (var failures = 1; !cancellationToken.IsCancellationRequested; failures++)
        {
            try
            {
                await RecoverOnceAsync(cancellationToken).ConfigureAwait(false);
                Failure = null;
                _logged.Clear();
                _attempted.TrySetResult();
                return;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (!OutageReporter.IsOutage(exception) && _attempted.TrySetException(exception))
            {
                // The start still waits for this attempt and fails with its error.
                Failure = exception;
                return;
            }
#pragma warning disable CA1031 // The error is logged and shown in the health check; the cause may be fixed while the host runs, so retry.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Failure = exception;
                LogFailure(exception);
                _attempted.TrySetResult();
            }

            await Task.Delay(Backoff.After(failures), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (_running is not null)
        {
            return;
        }

        if (options.Value.StartupMode == StartupMode.FailFast)
        {
            _running = Task.CompletedTask;
            await RecoverOnceAsync(cancellationToken).ConfigureAwait(false);
            _attempted.TrySetResult();
            _running = Background.Run(() => RecoverOtherLivesAsync(_stopping.Token));
            return;
        }

        _running = Background.Run(async () =>
        {
            await RecoverUntilDoneAsync(_stopping.Token).ConfigureAwait(false);
            await RecoverOtherLivesAsync(_stopping.Token).ConfigureAwait(false);
        });
        var attempted = _attempted.Task;
        await attempted.WaitAsync(FirstAttempt, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (attempted.IsFaulted || !_attempted.TrySetResult())
        {
            await attempted.ConfigureAwait(false);
        }
    }

    private async Task RunStepsAsync(CancellationToken cancellationToken)
    {
        foreach (var step in steps)
        {
            await step.RunAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RegisteredAsync(CancellationToken cancellationToken)
    {
        var patience = options.Value.Node.Lease;
        try
        {
            await node.WaitForNodeAsync(cancellationToken).WaitAsync(patience, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException exception)
        {
            throw new StoreUnavailableException(
                $"The store is there, but this node could not register within {patience.TotalSeconds:0.#} s: its own session with the "
                + "store can't be opened or answers too slowly. The log of the node's session says why.",
                exception);
        }
    }

    private void LogFailure(Exception exception)
    {
        if (_logged.Count == MostLogged || !_logged.Add((exception.GetType(), exception.Message)))
        {
            return;
        }

        if (OutageReporter.IsOutage(exception))
        {
            _logger.WaitingForStore(exception);
        }
        else
        {
            _logger.StoreMisconfigured(exception);
        }
    }
}
