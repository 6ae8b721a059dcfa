using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Claims;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Recovery;
using TaskRecovery.Storage;

namespace TaskRecovery.Testing.Hosts;

/// <summary>Runs entries only in a drain, with the engine's own claims, executors and outcomes, but without its loops and
/// threads.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle is not used holds nothing.")]
internal sealed class ManualEngine(
    IQueueStore store, IJobStore jobs, TaskRecoverer recoverer,
    IEnumerable<IStartupStep> startupSteps, WorkServices services, OutcomeWriter outcomes,
    NodeNaming naming, ServedWork served, RunMonitor monitor, TestClock clock)
    : TestEngine, ILocalClaimer
{
    // Stored times and delays are rounded up, each by less than a microsecond.
    private static readonly TimeSpan Rounding = TimeSpan.FromMilliseconds(1);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Signal _changed = new();
    private TestNode? _node;
    private Guid? _killed;
    private bool _hasJoined;
    private Dictionary<string, IQueueClaimer> _claimers = new(StringComparer.Ordinal);
    private ExecutorPool? _pool;

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<DrainedRun>> DrainAsync(DrainOptions options, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            monitor.Begin();
            var node = await JoinAsync(cancellationToken).ConfigureAwait(false);
            var runs = new List<DrainedRun>();
            await RunAsync(node, options, runs, null, cancellationToken).ConfigureAwait(false);
            return runs;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public override async Task<KilledRun?> KillAsync(Place? at, DrainOptions options, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            monitor.Begin();
            var node = await JoinAsync(cancellationToken).ConfigureAwait(false);
            var runs = new List<DrainedRun>();
            var killed = at is { } place ? await RunUntilAsync(node, place, options, runs, cancellationToken).ConfigureAwait(false) : null;

            // The places of suspects are per process, and this one lives on.
            foreach (var run in _pool?.Runs ?? [])
            {
                services.Suspects.Release(services.Suspects.Of(run.Entry.Crashes));
            }

            _killed = node.Node.Id;
            (_node, _pool, _claimers) = (null, null, new(StringComparer.Ordinal));
            node.Kill();
            Drains.ThrowIfFailed(runs, options, isOver: false);
            return killed;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public override async Task RestartAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Stop();
            await JoinAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public override async Task ResetAsync(Func<CancellationToken, Task> empty, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Stop();
            _killed = null;
            await empty(cancellationToken).ConfigureAwait(false);
            clock.Reset();

            // The declared jobs, which the start of the host has stored, are gone too.
            _hasJoined = true;
            await JoinAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public override async Task<TimeSpan?> FindNextDueAsync(DrainOptions options, CancellationToken cancellationToken)
        => (await store.PollAsync(served.Request(_node?.Node.Id ?? Guid.Empty, options), cancellationToken).ConfigureAwait(false)).NextDue;

    /// <inheritdoc/>
    public override void TimeAdvanced()
    {
    }

    /// <inheritdoc/>
    public override void Stop()
    {
        try
        {
            _node?.Leave();
        }
        catch (StoreUnavailableException)
        {
            // A worker's transaction is still open. The drain has reported it.
        }
        finally
        {
            // Its session is closed, whatever the error.
            (_node, _pool, _claimers) = (null, null, new(StringComparer.Ordinal));
        }
    }

    /// <summary>Called when entries were stored: a running entry may wait for them.</summary>
    public void Wake(bool fromFront) => _changed.Set();

    /// <inheritdoc/>
    public ValueTask<ClaimedEnqueue?> TryStoreClaimedAsync(NewEntry[] entries, CancellationToken whileQueued) => default;

    /// <summary>Cancels the runs of entries whose cancellation was requested.</summary>
    public void PollCancels() => _ = PollCancelsAsync();

    private static DateTimeOffset? LastRetry(List<DrainedRun> runs)
        => runs.GroupBy(static run => run.EntryId).Select(static entry => entry.Last()).Where(static run => run.IsRepeated)
            .Max(static run => run.NextRunAt);

    private static TestFailedException NotReached(Place place, IReadOnlyCollection<Place> reached, List<DrainedRun> runs)
    {
        var failures = runs.FindAll(static run => run.IsFailure);
        return new TestFailedException(
            $"No run reached the place '{place}', "
            + $"so no node was killed. {(reached.Count == 0 ? "No entry was due." : $"The runs reached: {string.Join("; ", reached)}.")}"
            + $"{(failures.Count == 0 ? "" : $" {failures.Count} of them failed, the first one as:\n  {failures[0]}")}",
            failures.Count == 0 ? null : failures[0].Exception);
    }

    private async Task<KilledRun> RunUntilAsync(
        TestNode node, Place place, DrainOptions options, List<DrainedRun> runs, CancellationToken cancellationToken)
    {
        var killed = monitor.KillAt(place);
        IReadOnlyCollection<Place> reached;
        try
        {
            await RunAsync(node, options, runs, killed, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // A later drain must not kill the node.
            reached = monitor.CancelKill();
        }

        return killed.IsCompleted ? await killed.ConfigureAwait(false) : throw NotReached(place, reached, runs);
    }

    private async Task<TestNode> JoinAsync(CancellationToken cancellationToken)
    {
        if (_node is { } node)
        {
            return node;
        }

        // The same steps as in the start of a host. StartupRecovery has run the application's steps before the first drain.
        node = TestNode.Join(store, naming, services.Time);
        try
        {
            if (_killed is { } killed)
            {
                node.DeclareDead(killed);
                _killed = null;
            }

            (await recoverer.RecoverOnceAsync(cancellationToken).ConfigureAwait(false)).ThrowIfIncomplete();
            if (_hasJoined)
            {
                foreach (var step in startupSteps)
                {
                    await step.RunAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            await jobs.RecoverJobsAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // The next attempt joins anew. Its name is free only if this session has ended.
            node.Kill();
            throw;
        }

        _hasJoined = true;
        return _node = node;
    }

    // Runs what is due, with the retries if they are included, until the node is killed or all has run.
    private async Task RunAsync(
        TestNode node, DrainOptions options, List<DrainedRun> runs, Task? killed, CancellationToken cancellationToken)
    {
        while (true)
        {
            await RunDueAsync(node, options, runs, killed, cancellationToken).ConfigureAwait(false);
            if (killed?.IsCompleted == true || !options.IncludeRetries || LastRetry(runs) is not { } last
                || await FindNextDueAsync(options, cancellationToken).ConfigureAwait(false) is not { } wait
                || clock.GetUtcNow() + wait > last + Rounding)
            {
                // An entry that still waits for its retry is not going to be due, for example because its queue was paused.
                return;
            }

            clock.Advance(wait);
        }
    }

    // Runs until nothing is due and nothing runs, or until the node is killed.
    private async Task RunDueAsync(
        TestNode node, DrainOptions options, List<DrainedRun> runs, Task? killed, CancellationToken cancellationToken)
    {
        var queues = served.Queues(options);
        var kinds = served.Kinds(options);
        var limit = options.Limit - runs.Count;
        var pool = _pool = new ExecutorPool(new QueueOptions { Concurrency = options.Concurrency, Prefetch = 0 }, services, _changed);
        monitor.OnEnded = _changed.Set;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (pool.Room() is var room && room > 0
                && await ClaimAsync(node, pool, queues, kinds, room, cancellationToken).ConfigureAwait(false))
            {
                if (options.Concurrency > 1)
                {
                    continue;
                }
            }
            else if (pool.Running == 0)
            {
                break;
            }

            // With several executors, a run may wait for an entry that it has enqueued.
            var idle = pool.WaitUntilIdleAsync(cancellationToken);
            var changed = options.Concurrency == 1 ? idle
                : _changed.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            if (!await IsAnyDoneAsync([idle, changed, killed ?? idle], options.Timeout, cancellationToken).ConfigureAwait(false))
            {
                pool.StopStarting();
                throw Drains.Stuck(pool.Runs, options.Timeout);
            }

            if (killed?.IsCompleted == true)
            {
                runs.AddRange(monitor.TakeRuns());
                return;
            }

            await StoreOutcomesAsync(options.Timeout, cancellationToken).ConfigureAwait(false);
            if (monitor.Count > limit)
            {
                runs.AddRange(monitor.TakeRuns());
                pool.StopStarting();
                throw Drains.Endless(runs, options.Limit);
            }
        }

        await StoreOutcomesAsync(options.Timeout, cancellationToken).ConfigureAwait(false);
        runs.AddRange(monitor.TakeRuns());
        if (node.Node.Claims.TakeSettled() is { Count: > 0 } settled)
        {
            await store.RemoveSettledClaimsAsync(node.Node.Id, settled, cancellationToken).ConfigureAwait(false);
        }
    }

    // In real time, because the test's clock may stand still.
    private static async Task<bool> IsAnyDoneAsync(Task[] tasks, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var any = Task.WhenAny(tasks);
        if (!Debugger.IsAttached)
        {
            await ((Task)any).WaitAsync(timeout, TimeProvider.System, cancellationToken).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            return any.IsCompleted;
        }

        await any.ConfigureAwait(false);
        return true;
    }

    private async Task StoreOutcomesAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var stored = outcomes.DrainAsync(cancellationToken);
        if (!await IsAnyDoneAsync([stored], timeout, cancellationToken).ConfigureAwait(false))
        {
            throw Drains.Unstored(monitor.TakeRuns(), outcomes.Unstored, outcomes.Failure, timeout);
        }
    }

    private async Task<bool> ClaimAsync(
        TestNode node, ExecutorPool pool, IReadOnlyCollection<string> queues,
        IReadOnlyCollection<string> kinds, int limit, CancellationToken cancellationToken)
    {
        foreach (var queue in queues)
        {
            var key = $"{queue}\n{string.Join('\n', kinds)}";
            if (!_claimers.TryGetValue(key, out var claimer))
            {
                _claimers[key] = claimer = store.CreateClaimer(node.Node.Id, queue, kinds);
            }

            claimer.Rewind();

            // The limiter allows suspects and last chances in turns, so the first answer may lack an entry that is due.
            if (await ClaimOnceAsync(node, pool, claimer, queue, limit, cancellationToken).ConfigureAwait(false)
                || await ClaimOnceAsync(node, pool, claimer, queue, limit, cancellationToken).ConfigureAwait(false))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<bool> ClaimOnceAsync(
        TestNode node, ExecutorPool pool, IQueueClaimer claimer, string queue, int limit, CancellationToken cancellationToken)
    {
        var allowance = services.Suspects.Reserve(queue);
        var ticket = node.Node.Claims.Begin(node.Lease);
        var batch = await claimer.ClaimAsync(limit, allowance, cancellationToken).ConfigureAwait(false);
        services.Suspects.Commit(
            allowance,
            batch.Entries.Count(entry => services.Suspects.Of(entry.Crashes) == Suspicion.Suspect),
            batch.Entries.Count(entry => services.Suspects.Of(entry.Crashes) == Suspicion.LastChance));
        node.Node.Claims.End(ticket, batch, queue, out var claim);
        if (claim is null)
        {
            return false;
        }

        pool.Run(claim, batch.Entries);
        return true;
    }

    private async Task PollCancelsAsync()
    {
        if (_node is not { } node || _pool is not { } pool)
        {
            return;
        }

        var askedAt = services.Time.GetTimestamp();
        var request = served.Request(node.Node.Id, new DrainOptions()) with { Claims = node.Node.Claims.List() };
        var answer = await store.PollAsync(request, CancellationToken.None).ConfigureAwait(false);
        pool.RequestCancels(answer.CancelRequests, askedAt);
    }
}
