using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;

namespace TaskRecovery.Hosting;

/// <summary>Base class of a loop that calls the store at an interval. It survives every error of the store and logs each change of state
/// once.</summary>
/// <param name="name">The loop's name in logs.</param>
/// <param name="gate">The loop starts when this gate opens.</param>
/// <param name="role">The loop runs only in a process that runs entries.</param>
/// <param name="time">The clock for waits.</param>
/// <param name="logger">Logs each change of state once.</param>
internal abstract class StoreLoop(string name, StartupGate gate, INodeRole role, TimeProvider time, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(250);

    private readonly ILogger _logger = logger.Guarded();
    private readonly Signal _never = new();
    private TimeSpan _backoff = FirstBackoff;
    private bool _failing;

    /// <summary>The wait between two rounds.</summary>
    protected abstract TimeSpan Interval { get; }

    /// <summary>Starts the next round early when set.</summary>
    protected virtual Signal Wake => _never;

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Task started;
        using (Background.Detach())
        {
            started = base.StartAsync(cancellationToken);
        }

        return started;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!role.Works)
        {
            return;
        }

        try
        {
            await gate.WaitAsync(stoppingToken).ConfigureAwait(false);
            while (true)
            {
                var wait = await TryOnceAsync(stoppingToken).ConfigureAwait(false);
                if (wait <= TimeSpan.Zero)
                {
                    continue;
                }

                // While the store is failing, signals do not shorten the wait, because they arrive with every heartbeat.
                await (_failing ? _never : Wake).WaitAsync(wait, time, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // If the service is disposed without having been stopped, the host would treat the cancelled task as a failure and log it as
            // critical.
        }
    }

    /// <summary>Runs one round and handles its errors.</summary>
    /// <returns>How long to wait before the next round.</returns>
    internal async Task<TimeSpan> TryOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            var more = await OnceAsync(cancellationToken).ConfigureAwait(false);
            if (_failing)
            {
                _failing = false;
                _backoff = FirstBackoff;
                _logger.LoopWorksAgain(name);
            }

            return more ? TimeSpan.Zero : Interval;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // The error of a call that is aborted because the host stops is not an outage.
            throw new OperationCanceledException(cancellationToken);
        }
#pragma warning disable CA1031 // The loop survives whatever a store throws.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            if (!_failing)
            {
                _failing = true;
                _logger.LoopFailed(name, exception);
            }

            var wait = _backoff < Interval ? _backoff : Interval;
            _backoff = wait * 2;
            return wait;
        }
    }

    /// <summary>Runs one round.</summary>
    /// <returns>Whether another round is due at once.</returns>
    protected abstract Task<bool> OnceAsync(CancellationToken cancellationToken);
}
