using TaskRecovery.Hosting;
using TaskRecovery.Monitoring;
using TaskRecovery.Recovery;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Recovery;

/// <summary>Loops outlive the store, and say so once.</summary>
public sealed class StoreLoopTests : IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    private readonly RecoveryUnderTest _recovery = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _recovery.Dispose();

    [Fact]
    public async Task A_store_that_is_unavailable_is_logged_once_and_its_return_once()
    {
        using var sweeper = Sweeper();
        _recovery.Store.Failure = new StoreUnavailableException("down");

        TimeSpan[] waits =
            [await sweeper.TryOnceAsync(Cancellation), await sweeper.TryOnceAsync(Cancellation), await sweeper.TryOnceAsync(Cancellation)];
        _recovery.Store.Failure = null;
        var after = await sweeper.TryOnceAsync(Cancellation);
        await sweeper.TryOnceAsync(Cancellation);

        Assert.Equal([0.25, 0.5, 1], waits.Select(wait => wait.TotalSeconds));
        Assert.Equal(TimeSpan.FromSeconds(5), after);
        Assert.Equal([1002, 1003], _recovery.OutageLog.Ids);
    }

    [Fact]
    public async Task A_call_that_a_stop_has_aborted_is_no_outage()
    {
        using var sweeper = Sweeper();
        _recovery.Store.Failure = new StoreUnavailableException("aborted");

        await Assert.ThrowsAsync<OperationCanceledException>(() => sweeper.TryOnceAsync(new CancellationToken(canceled: true)));

        Assert.Empty(_recovery.OutageLog.Ids);
    }

    [Fact]
    public async Task Nothing_runs_before_the_start_up_hook_is_through_and_a_signal_does_not_wait_for_the_interval()
    {
        using var sweeper = Sweeper();
        await sweeper.StartAsync(Cancellation);
        Assert.Empty(_recovery.Store.Calls);

        _recovery.Node.Gate.Open();
        _recovery.Node.Signals.SweepDue.Set();
        await UntilAsync(() => CallsOf("sweep") == 1 && _recovery.Time.ActiveTimers > 0);
        _recovery.Node.Signals.SweepDue.Set();
        await UntilAsync(() => CallsOf("sweep") == 2);

        // The timer may be that of the wait before the signal: the next one is set up at any moment from here on.
        await UntilAsync(() =>
        {
            _recovery.Time.Advance(TimeSpan.FromSeconds(5));
            return CallsOf("sweep") >= 3;
        });

        await sweeper.StopAsync(Cancellation);
    }

    [Fact]
    public async Task What_can_wait_leaves_the_first_seconds_of_a_process_to_its_claims()
    {
        using var retention = new RetentionLoop(_recovery.Store, _recovery.Loops, _recovery.Node.Options);
        await retention.StartAsync(Cancellation);

        _recovery.Node.Gate.Open();
        await UntilAsync(() => _recovery.Time.ActiveTimers > 0);
        Assert.Equal(0, CallsOf("purge"));
        await UntilAsync(() =>
        {
            _recovery.Time.Advance(TimeSpan.FromSeconds(5));
            return CallsOf("purge") > 0;
        });

        await retention.StopAsync(Cancellation);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task A_process_that_stops_before_its_first_round_of_retention_does_it_then(bool hasStarted, int rounds)
    {
        using var retention = new RetentionLoop(_recovery.Store, _recovery.Loops, _recovery.Node.Options);
        await retention.StartAsync(Cancellation);
        if (hasStarted)
        {
            _recovery.Node.Gate.Open();
            await UntilAsync(() => _recovery.Time.ActiveTimers > 0);
        }

        await retention.StopAsync(Cancellation);

        Assert.Equal(rounds, CallsOf("purge"));
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_store_that_ignores_its_cancellation()
    {
        using var stuck = new StuckLoop(_recovery.Loops);
        await stuck.StartAsync(Cancellation);
        _recovery.Node.Gate.Open();
        await stuck.Begun.WaitAsync(Cancellation);

        // Neither the round nor the last round ever ends.
        await stuck.StopAsync(Cancellation);

        Assert.True(stuck.LastRoundBegan);
    }

    /// <summary>A driver may cancel its statement in the callback of the token, and take seconds for it if the server does not
    /// answer.</summary>
    [Fact]
    public async Task A_last_round_does_not_wait_for_a_driver_that_cancels()
    {
        using var answer = new ManualResetEventSlim();
        using var host = new CancellationTokenSource();
        using var loop = new CancelledLoop(_recovery.Loops, answer);
        var last = loop.RunLastRoundAsync(host.Token);

        var hurried = host.CancelAsync();
        try
        {
            await loop.Cancelled.WaitAsync(Cancellation);
            await last.WaitAsync(TimeSpan.FromMinutes(3), Cancellation);
        }
        finally
        {
            answer.Set();
        }

        await hurried;
    }

    [Fact]
    public async Task A_last_round_that_does_not_end_is_cancelled()
    {
        using var answer = new ManualResetEventSlim(initialState: true);
        using var loop = new CancelledLoop(_recovery.Loops, answer);

        await loop.RunLastRoundAsync(Cancellation);

        await loop.Cancelled.WaitAsync(Cancellation);
    }

    [Fact]
    public async Task A_sweep_that_found_something_sweeps_again_at_once()
    {
        using var sweeper = Sweeper();
        _recovery.Store.NextSweep(RecoveryUnderTest.Report(RecoveryAction.Recovered));

        Assert.Equal(TimeSpan.Zero, await sweeper.TryOnceAsync(Cancellation));
        Assert.Equal(TimeSpan.FromSeconds(5), await sweeper.TryOnceAsync(Cancellation));
    }

    [Fact]
    public async Task A_sweep_that_found_nothing_rests_as_long_as_an_idle_poll_while_heartbeats_can_wake_it()
    {
        using var sweeper = Sweeper();
        _recovery.Store.Traits = _recovery.Store.Traits with { IdlePollInterval = TimeSpan.FromSeconds(10) };
        var withoutLease = await sweeper.TryOnceAsync(Cancellation);
        _recovery.Node.Beat();
        var idle = await sweeper.TryOnceAsync(Cancellation);
        _recovery.Store.Failure = new StoreUnavailableException("down");
        var failed = TimeSpan.Zero;
        for (var round = 0; round < 10; round++)
        {
            failed = await sweeper.TryOnceAsync(Cancellation);
        }

        Assert.Equal((5, 10, 5), (withoutLease.TotalSeconds, idle.TotalSeconds, failed.TotalSeconds));
    }

    [Fact]
    public async Task Retention_goes_on_while_there_is_more_to_remove()
    {
        using var retention = new RetentionLoop(_recovery.Store, _recovery.Loops, _recovery.Node.Options);
        _recovery.Store.PurgesLeft = 2;

        TimeSpan[] waits = [await retention.TryOnceAsync(Cancellation),
            await retention.TryOnceAsync(Cancellation), await retention.TryOnceAsync(Cancellation)];

        Assert.Equal([0, 0, 30], waits.Select(wait => wait.TotalSeconds));
    }

    [Fact]
    public async Task Loops_that_serve_the_whole_store_run_more_rarely_on_each_node_of_a_fleet()
    {
        var loops = _recovery.Loops with { Fleet = new Fleet(75) };
        using var sweeper = Sweeper(loops);
        using var retention = new RetentionLoop(_recovery.Store, loops, _recovery.Node.Options);
        using var operations = new OperationLoop(
            new NoOperationStore(TimeProvider.System), _recovery.Waker, new OperationSignal(), loops, new LogRecorder<OperationLoop>());

        await AssertRareAsync(sweeper, SweepInterval);
        await AssertRareAsync(retention, TimeSpan.FromSeconds(30));
        await AssertRareAsync(operations, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task The_node_that_remains_of_a_fleet_runs_the_next_round_after_an_interval()
    {
        var fleet = new Fleet(75);
        using var sweeper = Sweeper(_recovery.Loops with { Fleet = fleet });

        for (var round = 0; round < 50; round++)
        {
            fleet.NodesAlive = 75;
            var waiting = sweeper.WaitForRoundAsync(SweepInterval, Cancellation);
            fleet.NodesAlive = 1;
            _recovery.Time.Advance(SweepInterval);

            await waiting.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        }
    }

    [Fact]
    public async Task A_round_after_one_that_failed_is_not_skipped()
    {
        using var sweeper = Sweeper(_recovery.Loops with { Fleet = new Fleet(75) });
        _recovery.Store.Failure = new StoreUnavailableException("down");

        for (var round = 0; round < 50; round++)
        {
            var wait = await sweeper.TryOnceAsync(Cancellation);
            var waiting = sweeper.WaitForRoundAsync(wait, Cancellation);
            _recovery.Time.Advance(wait);

            await waiting.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        }
    }

    [Fact]
    public async Task A_dead_node_is_swept_at_once_in_a_fleet_too()
    {
        using var sweeper = Sweeper(_recovery.Loops with { Fleet = new Fleet(75) });
        await sweeper.StartAsync(Cancellation);
        _recovery.Node.Gate.Open();

        for (var sweeps = 1; sweeps <= 3; sweeps++)
        {
            _recovery.Node.Signals.SweepDue.Set();
            await UntilAsync(() => CallsOf("sweep") >= sweeps);
        }

        await sweeper.StopAsync(Cancellation);
    }

    // Whether a round is skipped is decided at random; on average, one of six is not.
    private async Task AssertRareAsync(StoreLoop loop, TimeSpan interval)
    {
        var intervals = 0;
        for (var round = 0; round < 200; round++)
        {
            var waiting = loop.WaitForRoundAsync(interval, Cancellation);
            while (true)
            {
                await UntilAsync(() => waiting.IsCompleted || _recovery.Time.ActiveTimers > 0);
                if (waiting.IsCompleted)
                {
                    break;
                }

                _recovery.Time.Advance(interval);
                intervals++;
            }
        }

        Assert.InRange(intervals, 600, 1_800);
    }

    private RecoverySweeper Sweeper(StoreLoopServices? loops = null) => new(
        _recovery.Recoverer, _recovery.Store, _recovery.Node.Node, _recovery.Node.Signals, loops ?? _recovery.Loops,
        _recovery.Node.Options);

    private sealed class Fleet(int nodes) : IFleet
    {
        public int NodesAlive { get; set; } = nodes;
    }

    private int CallsOf(string name)
    {
        lock (_recovery.Store.Calls)
        {
            return _recovery.Store.Calls.Count(call => call == name);
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>A loop whose last round never ends, and whose store answers a cancellation when the test says so.</summary>
    private sealed class CancelledLoop(StoreLoopServices services, ManualResetEventSlim answer) : StoreLoop("A cancelled loop", services)
    {
        private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Cancelled => _cancelled.Task;

        protected override TimeSpan Interval => TimeSpan.FromSeconds(1);

        protected override Task<bool> OnceAsync(CancellationToken cancellationToken) => Task.FromResult(false);

        protected override Task StopOnceAsync(CancellationToken cancellationToken)
        {
            cancellationToken.UnsafeRegister(
                _ =>
                {
                    _cancelled.TrySetResult();
                    answer.Wait(CancellationToken.None);
                },
                null);
            return new TaskCompletionSource().Task;
        }
    }

    private sealed class StuckLoop(StoreLoopServices services) : StoreLoop("A loop of a store that hangs", services)
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<bool> _never = new();

        public Task Begun => _begun.Task;

        public bool LastRoundBegan { get; private set; }

        protected override TimeSpan Interval => TimeSpan.FromSeconds(1);

        protected override Task<bool> OnceAsync(CancellationToken cancellationToken)
        {
            _begun.TrySetResult();
            return _never.Task;
        }

        protected override Task StopOnceAsync(CancellationToken cancellationToken)
        {
            LastRoundBegan = true;
            return _never.Task;
        }
    }
}
