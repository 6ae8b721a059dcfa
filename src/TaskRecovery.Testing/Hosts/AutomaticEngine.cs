using System.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Testing.Hosts;

/// <summary>The engine as in production. A drain only waits for it.</summary>
internal sealed class AutomaticEngine(
    IQueueStore store, IClaimWaker waker, ServedWork served, RunMonitor monitor, RunningWork running) : TestEngine
{
    // The engine has no event for "nothing is due and nothing runs", so ask the store.
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(5);

    private readonly Guid _reader = Guid.NewGuid();

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<DrainedRun>> DrainAsync(DrainOptions options, CancellationToken cancellationToken)
    {
        if (options.IncludeRetries)
        {
            throw NotHere(nameof(DrainOptions.IncludeRetries));
        }

        var (ended, since) = (monitor.Count, TimeProvider.System.GetTimestamp());
        while (!await IsIdleAsync(options, cancellationToken).ConfigureAwait(false))
        {
            if (monitor.Count != ended || Debugger.IsAttached)
            {
                (ended, since) = (monitor.Count, TimeProvider.System.GetTimestamp());
            }
            else if (TimeProvider.System.GetElapsedTime(since) > options.Timeout)
            {
                throw Drains.Stuck(running.Runs, options.Timeout);
            }

            if (monitor.Count > options.Limit)
            {
                throw Drains.Endless(monitor.TakeRuns(), options.Limit);
            }

            await Task.Delay(BetweenLooks, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }

        return monitor.TakeRuns();
    }

    /// <inheritdoc/>
    public override Task KillAsync(Place? at, CancellationToken cancellationToken) => throw NotHere(nameof(TaskRecoveryTest.KillNodeAsync));

    /// <inheritdoc/>
    public override Task RestartAsync(CancellationToken cancellationToken) => throw NotHere(nameof(TaskRecoveryTest.RestartAsync));

    /// <inheritdoc/>
    public override async Task<TimeSpan?> FindNextDueAsync(DrainOptions options, CancellationToken cancellationToken)
        => (await store.PollAsync(served.Request(_reader, options), cancellationToken).ConfigureAwait(false)).NextDue;

    /// <inheritdoc/>
    public override void TimeAdvanced() => waker.WakeAll();

    /// <inheritdoc/>
    public override void Stop()
    {
    }

    private static InvalidOperationException NotHere(string member)
        => new($"{member} needs {nameof(TaskRecoveryTestingOptions)}.{nameof(TaskRecoveryTestingOptions.Running)} "
            + $"= {nameof(TestRunning)}.{nameof(TestRunning.Manual)}: with {nameof(TestRunning.Automatic)}, "
            + "entries run in the background.");

    // The answers are of different moments. A run that ends between two of them may have enqueued an entry that no answer shows: it is
    // claimed between two others. So the answers only count if no run has ended meanwhile.
    private async Task<bool> IsIdleAsync(DrainOptions options, CancellationToken cancellationToken)
    {
        var ends = monitor.Ends;
        var due = await store.PollAsync(served.Request(_reader, options), cancellationToken).ConfigureAwait(false);
        if (due.DueQueues.Count > 0)
        {
            return false;
        }

        foreach (var queue in served.Queues(options))
        {
            if ((await store.CountAsync(queue, cancellationToken).ConfigureAwait(false)).Running.Value > 0)
            {
                return false;
            }
        }

        // An entry that was claimed between the two questions may have enqueued another one.
        due = await store.PollAsync(served.Request(_reader, options), cancellationToken).ConfigureAwait(false);
        return due.DueQueues.Count == 0 && monitor.Ends == ends;
    }
}
