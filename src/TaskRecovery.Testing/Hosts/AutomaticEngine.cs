using System.Diagnostics;
using TaskRecovery.Claims;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Testing.Hosts;

/// <summary>The engine as in production. A drain only waits for it.</summary>
internal sealed class AutomaticEngine(
    IQueueStore store, IClaimWaker waker, ServedWork served, RunMonitor monitor, RunningWork running) : TestEngine
{
    // The engine has no event for "nothing is due and nothing runs", so ask the store.
    private static readonly TimeSpan BetweenChecks = TimeSpan.FromMilliseconds(5);

    private readonly Guid _reader = Guid.NewGuid();

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<DrainedRun>> DrainAsync(DrainOptions options, CancellationToken cancellationToken)
    {
        if (options.IncludeRetries)
        {
            throw NotHere(nameof(DrainOptions.IncludeRetries));
        }

        var queues = served.Queues(options);
        var began = monitor.EndsOf(queues);
        var (ended, since) = (began, TimeProvider.System.GetTimestamp());
        while (!await IsIdleAsync(queues, options, cancellationToken).ConfigureAwait(false))
        {
            var ends = monitor.EndsOf(queues);
            if (ends != ended || Debugger.IsAttached)
            {
                (ended, since) = (ends, TimeProvider.System.GetTimestamp());
            }
            else if (TimeProvider.System.GetElapsedTime(since) > options.Timeout)
            {
                throw Drains.Stuck(running.Runs.Where(run => queues.Contains(run.Queue)), options.Timeout);
            }

            if (ends - began > options.Limit)
            {
                throw Drains.Endless(monitor.TakeRuns(queues), options.Limit);
            }

            await Task.Delay(BetweenChecks, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }

        return monitor.TakeRuns(queues);
    }

    /// <inheritdoc/>
    public override Task<KilledRun?> KillAsync(Place? at, DrainOptions options, CancellationToken cancellationToken)
        => throw NotHere(nameof(TaskRecoveryTest.KillNodeAsync));

    /// <inheritdoc/>
    public override Task RestartAsync(CancellationToken cancellationToken) => throw NotHere(nameof(TaskRecoveryTest.RestartAsync));

    /// <inheritdoc/>
    public override Task ResetAsync(Func<CancellationToken, Task> empty, CancellationToken cancellationToken)
        => throw NotHere(nameof(TaskRecoveryTest.ResetAsync));

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

    // The answers are of different moments. If nothing runs at the first one and nothing is due at the second one, all that may run at the
    // third one was claimed after the first one: it runs still, or its end was counted meanwhile. An end does not prove that the outcome is
    // stored, so a run whose end was counted before the first answer still counts as running there.
    private async Task<bool> IsIdleAsync(IReadOnlyCollection<string> queues, DrainOptions options, CancellationToken cancellationToken)
    {
        var ends = monitor.EndsOf(queues);
        if (await AnyRunsAsync(queues, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        var poll = await store.PollAsync(served.Request(_reader, options), cancellationToken).ConfigureAwait(false);
        return poll.DueQueues.Count == 0
            && !await AnyRunsAsync(queues, cancellationToken).ConfigureAwait(false)
            && monitor.EndsOf(queues) == ends;
    }

    private async Task<bool> AnyRunsAsync(IReadOnlyCollection<string> queues, CancellationToken cancellationToken)
    {
        foreach (var queue in queues)
        {
            if ((await store.CountAsync(queue, cancellationToken).ConfigureAwait(false)).Running.Value > 0)
            {
                return true;
            }
        }

        return false;
    }
}
