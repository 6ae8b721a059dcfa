using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Claims;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>Stops that do not take the usual course: two at once, a dispose in the middle, handlers or a clock that hold them up.</summary>
public sealed class UnusualStopTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    // For handlers that do not react to their cancellation.
    private static readonly WorkLimits ShortCancel = WorkHost.PatientStop with { CancelTime = TimeSpan.FromMilliseconds(100) };

    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    /// <summary>Code that stops a running host wakes its <c>RunAsync</c>, which stops the host too.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_second_stop_waits_for_the_first(bool stopsConcurrently)
    {
        var (started, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        _work.Do = (_, _) =>
        {
            started.TrySetResult();
            return finish.Task;
        };
        var host = await StartAsync(
            TimeSpan.FromHours(1),
            builder => builder.Services.Configure<HostOptions>(options => options.ServicesStopConcurrently = stopsConcurrently));
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        var first = host.StopAsync();
        var second = host.StopAsync();
        var heartbeats = _store.CallsOf("heartbeat");
        await Task.WhenAny(second, _store.Until(store => store.CallsOf("heartbeat") > heartbeats + 1));
        Assert.False(second.IsCompleted);
        Assert.Empty(_store.LeftNodes);
        finish.SetResult();
        await Task.WhenAll(first, second).WaitAsync(Limit);

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Single(_store.LeftNodes);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_second_stop_that_may_not_wait_ends_the_wait_of_the_first()
    {
        var started = new TaskCompletionSource();
        _work.Do = (_, cancellationToken) =>
        {
            started.TrySetResult();
            return Task.Delay(Timeout.Infinite, cancellationToken);
        };
        var host = await StartAsync(TimeSpan.FromHours(1));
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        var first = host.StopAsync();
        await host.Services.GetRequiredService<WorkService>().StopAsync(new CancellationToken(canceled: true)).WaitAsync(Limit);
        OutcomeAssert.Released(_store.Entry(id));
        await first.WaitAsync(Limit);

        Assert.Single(_store.LeftNodes);
        await host.DisposeAsync();
    }

    /// <summary>The stop begins before the first service of the host stops, and the host's time may end before that service has.</summary>
    [Fact]
    public async Task The_end_of_the_hosts_time_reaches_handlers_while_another_service_stops()
    {
        var started = new TaskCompletionSource();
        _work.Do = (_, cancellationToken) =>
        {
            started.TrySetResult();
            return Task.Delay(Timeout.Infinite, cancellationToken);
        };
        var host = await StartAsync(
            TimeSpan.FromHours(1),
            builder => builder.Services.AddHostedService(
                _ => new SlowService(() => _store.Until(store => store.Entries.All(entry => entry.Kinds is [.., OutcomeKind.Released])))));
        var log = host.Log;
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        using var hurry = new CancellationTokenSource();
        var stop = host.StopAsync(hurry.Token);
        await hurry.CancelAsync();
        await stop.WaitAsync(Limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await host.DisposeAsync();

        OutcomeAssert.Released(_store.Entry(id));
        Assert.Equal(1, log.Count(2007));
    }

    /// <summary>As <c>RunAsync</c> does, if its own stop ends before the one that woke it.</summary>
    [Fact]
    public async Task A_host_that_is_disposed_while_it_stops_releases_its_work_before_its_node_leaves()
    {
        var started = new TaskCompletionSource();
        var left = -1;
        _work.Do = async (_, cancellationToken) =>
        {
            started.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                left = _store.LeftNodes.Count;
            }
        };
        var host = await StartAsync(TimeSpan.FromHours(1));
        var log = host.Log;
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        var stop = host.StopAsync();
        await _store.Until(_ => log.Count(2006) == 1);
        await DisposeWithoutStopAsync(host);
        await stop.WaitAsync(Limit);
        await UntilLeftAsync();

        Assert.Equal(0, left);
        OutcomeAssert.Released(_store.Entry(id));
        Assert.Single(_store.LeftNodes);
    }

    [Fact]
    public async Task A_node_whose_host_does_not_wait_for_its_services_leaves_when_the_outcomes_are_stored()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var finish = new TaskCompletionSource();
        OutcomeKind[] atLeave = [];
        _work.Do = (_, _) =>
        {
            started.TrySetResult();
            return finish.Task;
        };
        var host = await StartAsync(
            TimeSpan.FromHours(1),
            builder => builder.Services.Configure<HostOptions>(options => options.ServicesStopConcurrently = true),
            ShortCancel);
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;
        _store.OnCall = call =>
        {
            if (call == "leave")
            {
                atLeave = _store.Entry(id).Kinds;
            }
        };

        await host.StopAsync(new CancellationToken(canceled: true)).WaitAsync(Limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await DisposeWithoutStopAsync(host).WaitAsync(Limit);
        await UntilLeftAsync();

        OutcomeAssert.Released(atLeave);
        finish.SetResult();
    }

    [Fact]
    public async Task A_callback_of_a_handler_that_blocks_does_not_hold_up_the_stop()
    {
        var started = new TaskCompletionSource();
        using var end = new ManualResetEventSlim();
        _work.Do = async (context, cancellationToken) =>
        {
            context.Stopping.Register(() => end.Wait());
            started.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        };
        var host = await StartAsync(TimeSpan.Zero);
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        try
        {
            await host.StopAsync().WaitAsync(Limit);
        }
        finally
        {
            end.Set();
        }

        OutcomeAssert.Released(_store.Entry(id));
        await host.DisposeAsync();
    }

    /// <summary>The thread pool may be starved, so nothing that the stop does first may wait for one of its threads.</summary>
    [Fact]
    public async Task A_handler_can_see_the_stop_as_soon_as_it_has_begun()
    {
        var started = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Do = (context, cancellationToken) =>
        {
            started.TrySetResult(context.Stopping);
            return Task.Delay(Timeout.Infinite, cancellationToken);
        };
        var host = await StartAsync(TimeSpan.Zero);
        await host.Queue.EnqueueAsync(new TestArgs());
        var stopping = await started.Task.WaitAsync(Limit);

        var stop = host.Services.GetRequiredService<WorkService>().StopAsync(CancellationToken.None);
        Assert.True(stopping.IsCancellationRequested);

        await stop.WaitAsync(Limit);
        await host.DisposeAsync();
    }

    /// <summary>The rest of a handler may run in the callback that ended its wait.</summary>
    [Fact]
    public async Task What_was_claimed_ahead_is_released_while_a_handler_blocks_the_notice_of_the_stop()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var noticed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var end = new ManualResetEventSlim();
        var starts = 0;
        _work.Do = (context, _) =>
        {
            Interlocked.Increment(ref starts);

            // The wait begins before the test can stop the host, so that the rest of the handler runs in the callback that ends it.
            var run = BlockAfterAsync(context.Stopping);
            started.TrySetResult();
            return run;
        };
        var host = await StartAsync(TimeSpan.FromHours(1), builder => builder.AddQueue("default", 1, 10));
        await host.Queue.EnqueueManyAsync([EnqueueRequest.Create(new TestArgs(1)), EnqueueRequest.Create(new TestArgs(2))]);
        await started.Task;
        await _store.Until(store => store.Entries.All(entry => entry.Fence is not null));

        var stop = host.StopAsync();
        try
        {
            await noticed.Task;
            await _store.Until(store => store.Entries.Count(entry => entry.Kinds is [.., OutcomeKind.Released]) == 1);
        }
        finally
        {
            end.Set();
        }

        await stop.WaitAsync(Limit);
        Assert.Equal(1, starts);
        Assert.Contains(_store.Entries, entry => entry.Kinds is [OutcomeKind.Completed]);
        await host.DisposeAsync();

        async Task BlockAfterAsync(CancellationToken stopping)
        {
            await Task.Delay(Timeout.Infinite, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            noticed.TrySetResult();
            end.Wait(CancellationToken.None);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_clock_that_stands_still_does_not_hold_up_the_stop(bool isDisposed)
    {
        var (started, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        _work.Do = (_, _) =>
        {
            started.TrySetResult();
            return finish.Task;
        };
        var id = _store.Add("test.work", """{"number":1}""");
        var host = await StartAsync(
            isDisposed ? TimeSpan.FromHours(1) : TimeSpan.FromMilliseconds(10),
            builder => builder.Services.AddSingleton<TimeProvider>(new ManualTimeProvider()),
            ShortCancel);
        await started.Task.WaitAsync(Limit);

        await (isDisposed ? DisposeWithoutStopAsync(host) : host.StopAsync()).WaitAsync(Limit);

        OutcomeAssert.Released(_store.Entry(id));
        finish.SetResult();
        await host.DisposeAsync();
    }

    /// <summary>A handler should only request the stop: if it waits for it, it waits for its own end.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_that_waits_for_the_end_of_its_own_host_is_given_up(bool disposes)
    {
        var created = new TaskCompletionSource<WorkHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Do = async (_, _) =>
        {
            var own = await created.Task;
            if (disposes)
            {
                own.DisposeWithoutStop();
            }
            else
            {
                await own.StopAsync(CancellationToken.None);
            }

            ended.TrySetResult();
        };
        var id = _store.Add("test.work", """{"number":1}""");
        var host = await StartAsync(TimeSpan.Zero, limits: ShortCancel);

        created.SetResult(host);
        await ended.Task.WaitAsync(Limit);
        await UntilLeftAsync();

        OutcomeAssert.Released(_store.Entry(id));
        Assert.Single(_store.LeftNodes);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_callback_of_a_handler_that_disposes_the_host_does_not_hold_up_the_stop()
    {
        var created = new TaskCompletionSource<WorkHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var disposed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Do = async (context, cancellationToken) =>
        {
            var own = await created.Task;
            context.Stopping.Register(() =>
            {
                own.DisposeWithoutStop();
                disposed.TrySetResult();
            });
            started.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        };
        var id = _store.Add("test.work", """{"number":1}""");
        var host = await StartAsync(TimeSpan.Zero);
        created.SetResult(host);
        await started.Task.WaitAsync(Limit);

        await host.StopAsync().WaitAsync(Limit);
        await disposed.Task.WaitAsync(Limit);
        await UntilLeftAsync();

        OutcomeAssert.Released(_store.Entry(id));
        Assert.Single(_store.LeftNodes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_claim_whose_answer_never_comes_does_not_hold_up_the_stop(bool isDisposed)
    {
        _store.ClaimAnswers = new TaskCompletionSource().Task;
        var host = await StartAsync(TimeSpan.Zero, limits: new WorkLimits { FlushTime = TimeSpan.FromSeconds(2) });
        await _store.Until(store => store.CallsOf("claim") > 0);

        await (isDisposed ? DisposeWithoutStopAsync(host) : host.StopAsync()).WaitAsync(Limit);
        await UntilLeftAsync();

        Assert.Single(_store.LeftNodes);
        await host.DisposeAsync();
    }

    // A host does not wait long for its node to leave.
    private Task UntilLeftAsync() => _store.Until(static store => store.LeftNodes.Count > 0);

    // The dispose waits for handlers. On a thread of its own it does not keep them from one of the pool's.
    private static Task DisposeWithoutStopAsync(WorkHost host)
        => Task.Factory.StartNew(
            host.DisposeWithoutStop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private Task<WorkHost> StartAsync(TimeSpan shutdownTimeout, Action<TaskRecoveryBuilder>? register = null, WorkLimits? limits = null)
        => WorkHost.StartAsync(
            _store,
            builder =>
            {
                builder.Services.AddSingleton(_work);
                builder.Services.AddSingleton(limits ?? WorkHost.PatientStop);
                builder.AddWorker<TestArgs, TestWorker>();
                register?.Invoke(builder);
            },
            options => options.ShutdownTimeout = shutdownTimeout);

    /// <summary>A service that stops when something has happened, whatever its token says.</summary>
    private sealed class SlowService(Func<Task> happened) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => happened();
    }
}
