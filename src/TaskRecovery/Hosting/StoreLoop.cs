using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Hosting;

/// <summary>Base class of a loop that calls the store at an interval, in a process that runs entries. It begins after the start-up hook and
/// survives every error of the store.</summary>
/// <param name="name">The loop's name in logs.</param>
/// <param name="services">What every such loop needs.</param>
internal abstract class StoreLoop(string name, StoreLoopServices services) : BackgroundService
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LastRound = TimeSpan.FromSeconds(2);

    private readonly LoopHealth _health = services.Outages.Watch(name);
    private readonly Signal _never = new();
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>The wait between two rounds.</summary>
    protected abstract TimeSpan Interval { get; }

    /// <summary>The longest wait after rounds that failed.</summary>
    protected virtual TimeSpan LongestBackoff => Interval;

    /// <summary>Whether signals shorten the wait also after a round that failed. They must not if they arrive with every
    /// heartbeat.</summary>
    protected virtual bool HearsSignalsAfterFailure => false;

    /// <summary>The wait after a round that succeeded, if no other one is due at once.</summary>
    protected virtual TimeSpan Rest => Interval;

    /// <summary>Whether a round serves the whole store and not only this node. In a fleet, each node then skips rounds.</summary>
    protected virtual bool ServesStore => false;

    /// <summary>Starts the next round early when set.</summary>
    protected virtual Signal Wake => _never;

    /// <summary>How long a starting process waits before the first round, at most an interval. Its first claims come before rounds that can
    /// wait, because the server plans the statements of each round for the first time.</summary>
    protected virtual TimeSpan FirstRound => TimeSpan.Zero;

    /// <summary>Whether the process runs entries and its start-up hook has succeeded.</summary>
    protected bool HasBegun { get; private set; }

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
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // The host stops one service after the other, so none may wait for long.
        await base.StopAsync(cancellationToken).WaitOrLeaveAsync(LastRound, CancellationToken.None).ConfigureAwait(false);
        await RunLastRoundAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="ILastRound.RunLastRoundAsync"/>
    public async Task RunLastRoundAsync(CancellationToken cancellationToken)
    {
        // The source is not disposed: if the wait ends before its timer, the timer still has to cancel the call. Nor is it linked to the
        // host's token: the end of a link waits for the callbacks in progress, with which a driver may take seconds.
        var limit = new CancellationTokenSource(LastRound, TimeProvider.System);
        using var _ = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).CancelAsync(), limit);

        // If it fails, what was collected since the last round is lost. A stop must not fail because of that.
        await StopOnceAsync(limit.Token).WaitOrLeaveAsync(LastRound, CancellationToken.None).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!services.Role.Works)
        {
            return;
        }

        // A driver may cancel a statement in the callback of its token, and take seconds for it if its server does not answer. Then the
        // thread of the host's stop must not be the one that waits.
        var stop = new CancellationTokenSource();
        using var _ = stoppingToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).CancelAsync(), stop);
        try
        {
            await RunAsync(stop.Token).ConfigureAwait(false);
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
            _health.Succeeded();
            return more ? TimeSpan.Zero : services.UntilNext(Rest);
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
            _health.Failed(exception);
            return new Backoff(FirstWait, LongestBackoff).After(_health.Failures);
        }
    }

    /// <summary>Waits for the next round.</summary>
    /// <param name="wait">How long to wait before the first round that is due.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal async Task WaitForRoundAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        var isFailing = _health.Failures > 0;
        var wake = isFailing && !HearsSignalsAfterFailure ? _never : Wake;
        while (!await wake.WaitAsync(wait, services.Time, cancellationToken).ConfigureAwait(false)
            && ServesStore && !isFailing && services.SkipsRound())
        {
            wait = services.UntilNext(Rest);
        }
    }

    /// <summary>Called when the host stops, once after the last round and once after the last entry if the loop is an
    /// <see cref="ILastRound"/>, for at most two seconds. Errors of the store are ignored.</summary>
    protected virtual Task StopOnceAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Stores what was collected, one call after the other. A stopping host does this beside the loop, and must not miss what a
    /// round in progress has taken and may fail to store.</summary>
    protected async Task InTurnAsync(Func<CancellationToken, Task> store, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await store(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Runs one round.</summary>
    /// <returns>Whether another round is due at once.</returns>
    protected abstract Task<bool> OnceAsync(CancellationToken cancellationToken);

    private async Task RunAsync(CancellationToken stoppingToken)
    {
        await services.Gate.WaitAsync(stoppingToken).ConfigureAwait(false);
        HasBegun = true;
        if (FirstRound is var first && first > TimeSpan.Zero)
        {
            await Wake.WaitAsync(first < Interval ? first : Interval, services.Time, stoppingToken).ConfigureAwait(false);
        }

        while (true)
        {
            var wait = await TryOnceAsync(stoppingToken).ConfigureAwait(false);
            if (wait > TimeSpan.Zero)
            {
                await WaitForRoundAsync(wait, stoppingToken).ConfigureAwait(false);
            }
        }
    }
}
