using TaskRecovery.Recovery;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Recovery;

/// <summary>Tasks and jobs are recovered beside the sweep, which does not wait for them.</summary>
public sealed class FullRecoveryLoopTests : IDisposable
{
    private readonly RecoveryUnderTest _recovery = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _recovery.Dispose();

    [Fact]
    public async Task Once_a_minute_tasks_and_jobs_are_gone_over_as_at_start_up()
    {
        using var full = NewLoop();

        var wait = await full.TryOnceAsync(Cancellation);

        Assert.Equal(TimeSpan.FromMinutes(1), wait);
        Assert.Equal(["sweep", "recover tasks", "recover jobs"], _recovery.Store.Calls);
    }

    [Fact]
    public async Task A_dead_node_that_can_t_be_swept_keeps_no_task_and_no_job_from_being_recovered()
    {
        using var full = NewLoop();
        _recovery.Store.NextSweep(new RecoveryReport([]) { Failure = new StoreUnavailableException("a row is locked") });

        await full.TryOnceAsync(Cancellation);

        Assert.Equal(["sweep", "recover tasks", "recover jobs"], _recovery.Store.Calls);
        Assert.Equal(1, _recovery.OutageLog.Count(1002));
    }

    [Fact]
    public async Task A_step_of_the_start_up_that_could_not_do_everything_is_completed()
    {
        using var full = NewLoop();
        var step = new RecordedStep(_recovery.Store, "declare jobs");
        _recovery.Steps.Add(step);

        await full.TryOnceAsync(Cancellation);
        Assert.Equal(["sweep", "recover tasks", "recover jobs"], _recovery.Store.Calls);
        step.IsIncomplete = true;
        await full.TryOnceAsync(Cancellation);

        Assert.Equal("complete: declare jobs", _recovery.Store.Calls[^1]);
        Assert.DoesNotContain("declare jobs", _recovery.Store.Calls);
    }

    [Fact]
    public async Task A_dead_node_is_swept_at_once_while_the_recovery_of_jobs_waits_and_after_it_has_failed()
    {
        var answer = new TaskCompletionSource<JobRecovery>(TaskCreationOptions.RunContinuationsAsynchronously);
        _recovery.Jobs.Answer = answer.Task;
        using var sweeper = new RecoverySweeper(
            _recovery.Recoverer, _recovery.Store, _recovery.Node.Node, _recovery.Node.Signals, _recovery.Loops, _recovery.Node.Options);
        using var full = NewLoop();
        await sweeper.StartAsync(Cancellation);
        await full.StartAsync(Cancellation);
        _recovery.Node.Gate.Open();
        await UntilAsync(() =>
        {
            _recovery.Time.Advance(TimeSpan.FromSeconds(5));
            return CallsOf("recover jobs") > 0;
        });

        await AssertSweptOnSignalAsync();
        answer.SetException(new StoreUnavailableException("a job is locked"));
        await UntilAsync(() => _recovery.OutageLog.Count(1002) == 1);
        await AssertSweptOnSignalAsync();

        await full.StopAsync(Cancellation);
        await sweeper.StopAsync(Cancellation);

        // The clock stands still. A round that was due before the signal may come first.
        async Task AssertSweptOnSignalAsync()
        {
            var swept = CallsOf("sweep") + 2;
            while (CallsOf("sweep") < swept)
            {
                var before = CallsOf("sweep");
                _recovery.Node.Signals.SweepDue.Set();
                await UntilAsync(() => CallsOf("sweep") > before);
            }
        }
    }

    private FullRecoveryLoop NewLoop()
        => new(_recovery.Recoverer, _recovery.Planner, _recovery.Steps, _recovery.Loops, _recovery.Node.Options);

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
}
