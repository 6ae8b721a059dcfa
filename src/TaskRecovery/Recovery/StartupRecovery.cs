using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Recovery;

/// <summary>The start-up hook: before anything is claimed, the store is prepared, the node registered, then task recovery, then job recovery.</summary>
internal sealed class StartupRecovery(
    IQueueStore store, IJobStore jobs, Node node, TaskRecoverer recoverer, IEnumerable<IStartupStep> steps, StartupGate gate, INodeRole role,
    IOptions<TaskRecoveryOptions> options, TimeProvider time, ILogger<StartupRecovery> logger)
    : IHostedService, IDisposable
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(5);

    // Long enough for a store that is there: with the tables in place the first enqueue after the start succeeds. One that does not answer holds up no start.
    private static readonly TimeSpan FirstAttempt = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = logger.Guarded();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _attempted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private Type? _failure;

    /// <summary>What kept the hook from getting through the last time; <see langword="null"/> if nothing did.</summary>
    public Exception? Failure { get; private set; }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.StartupMode == StartupMode.FailFast)
        {
            await RecoverOnceAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        _running = Task.Run(() => RecoverUntilDoneAsync(_stopping.Token), CancellationToken.None);
        await _attempted.Task.WaitAsync(FirstAttempt, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public void Dispose() => _stopping.End();

    /// <summary>The hook, once. Every part is safe to repeat, so that a failure in the middle means to begin again.</summary>
    internal async Task RecoverOnceAsync(CancellationToken cancellationToken)
    {
        await store.PrepareAsync(cancellationToken).ConfigureAwait(false);
        _attempted.TrySetResult();
        _logger.StorePrepared(store.Traits.System);
        if (!role.Works)
        {
            gate.Open();
            return;
        }

        // Registering comes first: it declares this node's own previous life dead, so that task recovery takes its work back now.
        node.Begin();
        await RegisteredAsync(cancellationToken).ConfigureAwait(false);

        var report = await recoverer.RecoverOnceAsync(cancellationToken).ConfigureAwait(false);
        foreach (var step in steps)
        {
            await step.RunAsync(cancellationToken).ConfigureAwait(false);
        }

        var planned = await jobs.RecoverJobsAsync(cancellationToken).ConfigureAwait(false);
        _logger.StartupDone(report.Recovered, report.Closed, planned);
        gate.Open();
    }

    /// <summary>The hook, until it is through or the host stops.</summary>
    internal async Task RecoverUntilDoneAsync(CancellationToken cancellationToken)
    {
        for (var backoff = FirstBackoff; ; backoff = backoff * 2 < LongestBackoff ? backoff * 2 : LongestBackoff)
        {
            try
            {
                await RecoverOnceAsync(cancellationToken).ConfigureAwait(false);
                Failure = null;
                return;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The host is up; whatever keeps the store away, the hook tries again.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Failure = exception;
                Tell(exception);
                _attempted.TrySetResult();
            }

            await Task.Delay(backoff, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RegisteredAsync(CancellationToken cancellationToken)
    {
        var patience = options.Value.Node.Lease;
        try
        {
            await node.WaitForLifeAsync(cancellationToken).WaitAsync(patience, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException exception)
        {
            throw new StoreUnavailableException(
                $"The store is there, but this node could not register within {patience.TotalSeconds:0.#} s: its own session with the store can't be opened or answers too slowly. The log of the node's session says why.",
                exception);
        }
    }

    private void Tell(Exception exception)
    {
        if (_failure == exception.GetType())
        {
            return;
        }

        _failure = exception.GetType();
        if (exception is StoreConfigurationException)
        {
            _logger.StoreMisconfigured(exception);
        }
        else
        {
            _logger.WaitingForStore(exception);
        }
    }
}
