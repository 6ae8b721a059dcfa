using TaskRecovery.Hosting;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Recovery;

/// <summary>The start-up hook: in this order, before any claim, and patient or not as the options say.</summary>
public sealed class StartupRecoveryTests : IDisposable
{
    private readonly RecoveryUnderTest _recovery = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _recovery.Dispose();

    [Fact]
    public async Task Prepare_register_task_recovery_declared_jobs_job_recovery_and_then_work()
    {
        _recovery.Steps.Add(new RecordedStep(_recovery.Store, "declare jobs"));
        _recovery.Store.NextSweep(RecoveryUnderTest.Report(RecoveryAction.Recovered, Guid.NewGuid()));
        Assert.False(_recovery.Node.Gate.IsOpen);

        await _recovery.NewStartup().RecoverOnceAsync(Cancellation);

        Assert.Equal(["prepare", "session", "sweep", "sweep", "recover tasks", "declare jobs", "recover jobs"], _recovery.Store.Calls);
        Assert.True(_recovery.Node.Gate.IsOpen);
        Assert.Contains(
            "Start-up recovery is complete. Entries that run again: 1; closed: 0; jobs planned: 2. Claiming begins",
            _recovery.StartupLog.Texts);
    }

    [Fact]
    public async Task A_dead_node_that_can_t_be_swept_does_not_keep_this_node_from_working()
    {
        _recovery.Steps.Add(new RecordedStep(_recovery.Store, "declare jobs"));
        _recovery.Store.NextSweep(new RecoveryReport([]) { Failure = new FormatException("a row can't be read") });

        await _recovery.NewStartup().RecoverOnceAsync(Cancellation);

        Assert.Equal(["prepare", "session", "sweep", "recover tasks", "declare jobs", "recover jobs"], _recovery.Store.Calls);
        Assert.True(_recovery.Node.Gate.IsOpen);
        Assert.Equal(1, _recovery.StartupLog.Count(3054));
    }

    [Fact]
    public async Task A_sweep_that_may_not_store_its_outcomes_keeps_this_node_from_working()
    {
        var missing = new StoreConfigurationException("The role may not insert outcomes.");
        _recovery.Store.NextSweep(new RecoveryReport([]) { Failure = missing });
        using var startup = _recovery.NewStartup();

        var failure = await Assert.ThrowsAsync<StoreConfigurationException>(() => startup.StartingAsync(Cancellation));

        Assert.Same(missing, failure);
        Assert.False(_recovery.Node.Gate.IsOpen);
    }

    [Fact]
    public async Task A_host_that_waits_starts_at_once_and_works_when_the_store_is_there()
    {
        _recovery.Store.Failure = new StoreUnavailableException("The database is down.");
        var startup = _recovery.NewStartup();

        await startup.StartAsync(Cancellation);
        await UntilAsync(() => startup.Failure is not null && _recovery.Time.ActiveTimers > 0);
        Assert.False(_recovery.Node.Gate.IsOpen);
        await UntilAsync(() =>
        {
            _recovery.Time.Advance(TimeSpan.FromSeconds(0.25));
            return Prepares() >= 2;
        });
        _recovery.Store.Failure = null;
        await RetryUntilAsync(() => _recovery.Node.Gate.IsOpen);
        await startup.StopAsync(Cancellation);

        Assert.Null(startup.Failure);
        Assert.Equal(1, _recovery.StartupLog.Count(3051));
    }

    [Theory]
    [InlineData(StartupMode.FailFast)]
    [InlineData(StartupMode.WaitForStore)]
    public async Task Another_life_claims_nothing_before_the_hook_is_through_again(StartupMode mode)
    {
        using var recovery = new RecoveryUnderTest(options => options.StartupMode = mode);
        recovery.Steps.Add(new RecordedStep(recovery.Store, "declare jobs"));
        var startup = recovery.NewStartup();
        await startup.StartAsync(Cancellation);
        await recovery.Node.Gate.WaitAsync(Cancellation);
        recovery.Store.Failure = new StoreUnavailableException("not yet");
        var first = recovery.Node.Life;

        recovery.Node.Node.ReportLostCommits(first, 7);
        await UntilAsync(() => recovery.Node.Node.Node is { } registrations && registrations != first && startup.Failure is not null);
        Assert.False(recovery.Node.Gate.IsOpen);
        recovery.Store.Failure = null;
        await UntilAsync(() =>
        {
            recovery.Time.Advance(TimeSpan.FromSeconds(0.25));
            return recovery.Node.Gate.IsOpen;
        });
        await startup.StopAsync(Cancellation);

        Assert.Equal(2, recovery.Store.Calls.Count(call => call == "declare jobs"));
        Assert.Equal(2, recovery.Store.Calls.Count(call => call == "recover jobs"));
    }

    [Fact]
    public async Task Each_error_of_the_hook_is_logged_once_until_it_succeeds()
    {
        _recovery.Store.Failure = new StoreUnavailableException("The database is down.");
        var startup = _recovery.NewStartup();
        await startup.StartAsync(Cancellation);
        _recovery.Store.Failure = new StoreUnavailableException("A row is locked.");
        await RetryUntilAsync(() => _recovery.StartupLog.Count(3051) == 2);
        _recovery.Store.Failure = null;
        await RetryUntilAsync(() => _recovery.Node.Gate.IsOpen);
        _recovery.Store.Failure = new StoreUnavailableException("A row is locked.");

        _recovery.Node.Node.ReportLostCommits(_recovery.Node.Life, 7);
        await UntilAsync(() => _recovery.StartupLog.Count(3051) == 3);
        _recovery.Store.Failure = null;
        await RetryUntilAsync(() => _recovery.Node.Gate.IsOpen);
        await startup.StopAsync(Cancellation);

        Assert.Equal(3, _recovery.StartupLog.Count(3051));
    }

    [Fact]
    public void A_hook_that_was_overtaken_by_another_life_opens_nothing()
    {
        var gate = new StartupGate();
        var registrations = gate.Registrations;

        gate.Close();
        gate.Open(registrations);

        Assert.False(gate.IsOpen);
        gate.Open(gate.Registrations);
        Assert.True(gate.IsOpen);
    }

    [Fact]
    public async Task A_host_that_fails_fast_does_not_start_without_its_store()
    {
        using var recovery = new RecoveryUnderTest(options => options.StartupMode = StartupMode.FailFast);
        recovery.Store.Failure = new StoreUnavailableException("The database is down.");

        var failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => recovery.NewStartup().StartAsync(Cancellation));

        Assert.Equal("The database is down.", failure.Message);
        Assert.False(recovery.Node.Gate.IsOpen);
    }

    [Fact]
    public async Task A_set_up_that_can_t_work_fails_the_start_of_a_host_that_waits_for_its_store()
    {
        _recovery.Steps.Add(new FailingStep());
        using var startup = _recovery.NewStartup();

        var failure = await Assert.ThrowsAsync<NotSupportedException>(() => startup.StartingAsync(Cancellation));

        Assert.Equal("There is no JSON metadata.", failure.Message);
        Assert.Same(failure, startup.Failure);
        Assert.Equal(0, _recovery.StartupLog.Count(3051));
    }

    [Fact]
    public async Task A_set_up_that_turns_out_wrong_while_the_host_runs_is_not_reported_as_an_absent_store()
    {
        _recovery.Store.Failure = new StoreUnavailableException("The database is down.");
        using var startup = _recovery.NewStartup();
        await startup.StartingAsync(Cancellation);
        await UntilAsync(() => _recovery.Time.ActiveTimers > 0);

        _recovery.Store.Failure = new StoreConfigurationException("The tables are of a newer version.");
        _recovery.Time.Advance(TimeSpan.FromSeconds(0.25));
        await UntilAsync(() => _recovery.StartupLog.Count(3052) == 1);
        await startup.StopAsync(Cancellation);

        Assert.Equal(1, _recovery.StartupLog.Count(3051));
    }

    [Fact]
    public async Task A_stop_after_a_dispose_does_nothing()
    {
        var startup = _recovery.NewStartup();
        await startup.StartAsync(Cancellation);
        startup.Dispose();

        await startup.StopAsync(Cancellation);
    }

    /// <summary>A driver may cancel its statement in the callback of the token, and take seconds for it if the server does not
    /// answer.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Neither_a_stop_nor_a_dispose_waits_for_a_driver_that_cancels(bool isDisposed)
    {
        using var answer = new ManualResetEventSlim();
        var step = new CancelledStep(answer);
        _recovery.Steps.Add(step);
        var startup = _recovery.NewStartup();
        var start = startup.StartAsync(Cancellation);
        await step.Begun.WaitAsync(Cancellation);
        _recovery.Time.Advance(TimeSpan.FromSeconds(5));
        await start;

        try
        {
            await (isDisposed ? Task.Run(startup.Dispose, Cancellation) : Task.Run(() => startup.StopAsync(Cancellation), Cancellation))
                .WaitAsync(TimeSpan.FromMinutes(3), Cancellation);
        }
        finally
        {
            answer.Set();
        }

        await step.Ended.WaitAsync(Cancellation);
    }

    [Fact]
    public async Task A_process_that_only_enqueues_is_no_node_and_recovers_nothing()
    {
        _recovery.Role.Works = false;

        await _recovery.NewStartup().RecoverOnceAsync(Cancellation);

        Assert.Equal(["prepare"], _recovery.Store.Calls);
        Assert.Empty(_recovery.Store.Nodes.Rows);
        Assert.True(_recovery.Node.Gate.IsOpen);
    }

    [Fact]
    public async Task A_node_that_cannot_register_says_so_instead_of_waiting_for_ever()
    {
        _recovery.Store.Nodes.Refusal = new StoreUnavailableException("too many connections");
        var hook = _recovery.NewStartup().RecoverOnceAsync(Cancellation);
        await UntilAsync(() => _recovery.Time.ActiveTimers > 0);

        _recovery.Time.Advance(TimeSpan.FromSeconds(15));

        var failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => hook);
        Assert.Contains("could not register within 15 s", failure.Message, StringComparison.Ordinal);
    }

    private int Prepares()
    {
        lock (_recovery.Store.Calls)
        {
            return _recovery.Store.Calls.Count(call => call == "prepare");
        }
    }

    private sealed class FailingStep : IStartupStep
    {
        public Task RunAsync(CancellationToken cancellationToken) => throw new NotSupportedException("There is no JSON metadata.");
    }

    /// <summary>A step whose statement ends only when the server has answered to its cancellation.</summary>
    private sealed class CancelledStep(ManualResetEventSlim answer) : IStartupStep
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public Task Ended => _ended.Task;

        public Task RunAsync(CancellationToken cancellationToken)
        {
            cancellationToken.UnsafeRegister(
                _ =>
                {
                    answer.Wait(CancellationToken.None);
                    _ended.TrySetResult();
                },
                null);
            _begun.TrySetResult();
            return _ended.Task;
        }
    }

    // Advances the time until the hook is tried again. Not after that, because the node then has to register in time.
    private Task RetryUntilAsync(Func<bool> condition)
    {
        var tries = Prepares();
        return UntilAsync(() =>
        {
            if (Prepares() == tries)
            {
                _recovery.Time.Advance(TimeSpan.FromSeconds(0.25));
            }

            return condition();
        });
    }

    // Waits for another thread to have got somewhere; what is waited for comes by itself.
    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
