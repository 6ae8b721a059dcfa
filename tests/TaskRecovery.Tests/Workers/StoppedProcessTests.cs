using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Jobs;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>A process that was stopped past its lease wakes in the middle of what it did, before any of its tokens has been cancelled: its
/// handlers begin nothing and go on with nothing.</summary>
public sealed class StoppedProcessTests
{
    private static readonly TimeSpan PastTheLease = 2 * WorkHost.Lease;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();
    private readonly StoppableTimeProvider _time = new();

    /// <summary>It was stopped while one of these ran, wakes when another may be further, and its handler never hears more of it than
    /// that.</summary>
    [Theory]
    [InlineData("a step that is new")]
    [InlineData("a step that is stored")]
    [InlineData("the end of a step")]
    [InlineData("a checkpoint to read")]
    [InlineData("a checkpoint to save")]
    public async Task A_process_that_was_stopped_goes_on_with_nothing_when_it_wakes_at(string place)
    {
        var (wentOn, thrown) = (false, new TaskCompletionSource<ClaimLostException>());
        _work.Do = async (context, cancellationToken) =>
        {
            if (context.Attempt == 1)
            {
                await context.StepAsync("stored", _ => Task.CompletedTask, cancellationToken);
                await context.SaveCheckpointAsync(1, cancellationToken);
                throw new InvalidOperationException("The first attempt only stores what the second finds.");
            }

            if (thrown.Task.IsCompleted)
            {
                return;
            }

            try
            {
                await (place switch
                {
                    "a step that is new" => Stopped(
                        () => context.StepAsync("new", _ => Task.FromResult(wentOn = true), CancellationToken.None)),
                    "a step that is stored" => Stopped(() => context.StepAsync("stored", _ => Task.CompletedTask, CancellationToken.None)),
                    "the end of a step" => context.StepAsync("ends late", _ => Stopped(() => Task.CompletedTask), CancellationToken.None),
                    "a checkpoint to read" => Stopped(() => context.GetCheckpointAsync<int>(CancellationToken.None)),
                    _ => Stopped(() => context.SaveCheckpointAsync(2, CancellationToken.None)),
                });
                wentOn = true;
            }
            catch (ClaimLostException exception)
            {
                thrown.SetResult(exception);
                throw;
            }

            Task Stopped(Func<Task> call)
            {
                _time.Stop(PastTheLease);
                return call();
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await thrown.Task.WaitAsync(Limit);
        await _store.UntilEnded(id);

        Assert.False(wentOn);
        Assert.Equal(OutcomeKind.Completed, _store.Entry(id).Last.Kind);
    }

    [Theory]
    [InlineData("save checkpoint")]
    [InlineData("save checkpoint answer")]
    public async Task A_call_that_failed_while_the_process_was_stopped_is_no_reason_to_go_on(string call)
    {
        var thrown = new TaskCompletionSource<Exception>();
        _work.Do = async (context, _) =>
        {
            if (thrown.Task.IsCompleted)
            {
                return;
            }

            _store.OnCall = name =>
            {
                if (name == call)
                {
                    _store.OnCall = null;
                    _time.Stop(PastTheLease);
                    throw new StoreUnavailableException("The server has closed the connection.");
                }
            };
            try
            {
                await context.SaveCheckpointAsync(1, CancellationToken.None);
            }
            catch (Exception exception)
            {
                thrown.SetResult(exception);
                throw;
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        var lost = Assert.IsType<ClaimLostException>(await thrown.Task.WaitAsync(Limit));
        await _store.UntilEnded(id);

        Assert.IsType<StoreUnavailableException>(lost.InnerException);
        AssertReleasedAndCompleted(id);
    }

    [Fact]
    public async Task A_handler_does_not_begin_after_its_middleware_has_slept_through_the_lease()
    {
        var runs = 0;
        _work.Do = (_, _) =>
        {
            runs++;
            return Task.CompletedTask;
        };
        await using var host = await StartAsync(builder =>
        {
            builder.Services.AddSingleton(_time);
            builder.AddMiddleware<SleepyMiddleware>();
        });

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        AssertReleasedAndCompleted(id);
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task A_job_s_handler_does_not_begin_when_the_process_was_stopped_at_the_start_of_its_task()
    {
        var (jobs, run, runs) = (new ScriptedJobs(), new TestRun(), 0);
        var task = jobs.NewTask();
        jobs.OnStart = (_, number) =>
        {
            if (number == 1)
            {
                _time.Stop(PastTheLease);
            }

            return new TaskStart(number == 1 ? TaskStartDecision.Started : TaskStartDecision.Recovered, task, jobs.Job, null);
        };
        run.Do = _ =>
        {
            runs++;
            return Task.CompletedTask;
        };
        await using var host = await WorkHost.StartAsync(_store, builder =>
        {
            builder.Services.AddSingleton(run);
            builder.Services.AddSingleton<TimeProvider>(_time);
            builder.Services.AddSingleton<IJobStore>(jobs);
            builder.AddTaskHandler<TestArgs, TestHandler>();
        });

        var id = _store.Add("task:test.work", $$"""{"jobId":"{{jobs.Job.Id}}","taskId":null}""");
        await _store.UntilEnded(id);

        AssertReleasedAndCompleted(id);
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task A_handler_that_is_slow_to_end_holds_up_no_other_token_when_the_lease_is_lost()
    {
        var (release, fired, stalled) = (new ManualResetEventSlim(), new TaskCompletionSource(), new TaskCompletionSource());
        _store.ProgressAnswers = new TaskCompletionSource().Task;
        _work.Do = async (context, cancellationToken) =>
        {
            if (fired.Task.IsCompleted)
            {
                return;
            }

            if (context.Args.Number == 1)
            {
                try
                {
                    stalled.SetResult();
                    await context.SaveCheckpointAsync(1, CancellationToken.None);
                }
                finally
                {
                    // A transaction that is rolled back over a dead network.
                    release.Wait(CancellationToken.None);
                }
            }
            else
            {
                await using var registration = cancellationToken.UnsafeRegister(_ => fired.TrySetResult(), null);
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
        };
        await using var host = await StartAsync();
        await host.Queue.EnqueueAsync(new TestArgs(1));
        await stalled.Task.WaitAsync(Limit);
        await host.Queue.EnqueueAsync(new TestArgs(2));
        await _store.Until(store => store.Entries.All(entry => entry.Fence is not null));

        _store.DeadNodes.Add(_store.NodeOf(_store.Entry(1).Fence!.Value));
        try
        {
            await fired.Task.WaitAsync(Limit);
        }
        finally
        {
            release.Set();
        }
    }

    // More than one release is right too: the node may claim the entry before its lease is renewed, and then no handler begins.
    private void AssertReleasedAndCompleted(long id)
    {
        var kinds = _store.Entry(id).Kinds;
        Assert.Equal(OutcomeKind.Completed, kinds[^1]);
        Assert.NotEmpty(kinds.SkipLast(1));
        Assert.All(kinds.SkipLast(1), static kind => Assert.Equal(OutcomeKind.Released, kind));
    }

    private Task<WorkHost> StartAsync(Action<TaskRecoveryBuilder>? register = null) => WorkHost.StartAsync(_store, builder =>
    {
        builder.Services.AddSingleton(_work);
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.AddWorker<TestArgs, TestWorker>();
        register?.Invoke(builder);
    });

    private sealed class SleepyMiddleware(StoppableTimeProvider time) : IWorkMiddleware
    {
        private static int _calls;

        public Task InvokeAsync(WorkContext context, WorkDelegate next, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _calls) == 1)
            {
                time.Stop(PastTheLease);
            }

            return next(context, cancellationToken);
        }
    }
}
