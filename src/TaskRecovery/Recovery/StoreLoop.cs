using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;

namespace TaskRecovery.Recovery;

/// <summary>The skeleton of a loop that does something with the store now and then, survives any of its errors and says so once per change of state.</summary>
/// <param name="name">Its name in logs.</param>
/// <param name="gate">It starts when the start-up hook is through.</param>
/// <param name="role">Only a node does it.</param>
/// <param name="time">Waits.</param>
/// <param name="logger">Told once per change of state.</param>
internal abstract class StoreLoop(string name, StartupGate gate, INodeRole role, TimeProvider time, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(250);

    private readonly ILogger _logger = logger.Guarded();
    private readonly Signal _never = new();
    private TimeSpan _backoff = FirstBackoff;
    private bool _failing;

    /// <summary>How long to wait between two rounds.</summary>
    protected abstract TimeSpan Interval { get; }

    /// <summary>Brings the next round forward.</summary>
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

                // While the store is failing a signal does not shorten the wait: signals come with every heartbeat.
                await (_failing ? _never : Wake).WaitAsync(wait, time, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host takes a cancelled service for a failed one, and logs it as critical, if it was disposed without having been stopped.
        }
    }

    /// <summary>One round that may fail.</summary>
    /// <returns>How long to wait before the next.</returns>
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
            // What a call says that is given up because the host stops is no outage.
            throw new OperationCanceledException(cancellationToken);
        }
#pragma warning disable CA1031 // A loop outlives whatever a store throws.
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

    /// <summary>One round.</summary>
    /// <returns>Whether more is left to do at once.</returns>
    protected abstract Task<bool> OnceAsync(CancellationToken cancellationToken);
}
