using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Claims;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>How a node stops.</summary>
public sealed class ShutdownTests
{
    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Fact]
    public async Task Running_work_finishes_before_the_node_leaves()
    {
        var started = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        _work.Do = (_, _) =>
        {
            started.TrySetResult();
            return finish.Task;
        };
        var host = await StartAsync(shutdownTimeout: TimeSpan.FromHours(1));
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        var stop = host.StopAsync();
        await _store.Until(store => store.CallsOf("heartbeat") > 0);
        Assert.False(stop.IsCompleted);
        Assert.Empty(_store.LeftNodes);
        finish.SetResult();
        await stop;

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Single(_store.LeftNodes);
        Assert.Equal(0, _store.OpenClaims);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Work_over_the_shutdown_limit_is_cancelled_and_released_without_an_attempt()
    {
        var started = new TaskCompletionSource();
        var reason = StopReason.None;
        _work.Do = async (context, cancellationToken) =>
        {
            started.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                reason = context.StopReason;
            }
        };
        var host = await StartAsync(shutdownTimeout: TimeSpan.Zero);
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        await host.StopAsync();

        Assert.Equal(StopReason.Shutdown, reason);
        OutcomeAssert.Released(_store.Entry(id));
        Assert.Equal(0, _store.Entry(id).Attempt);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_handler_that_returns_when_its_token_is_cancelled_has_completed_its_entry_and_the_log_warns()
    {
        var started = new TaskCompletionSource();
        _work.Do = async (_, cancellationToken) =>
        {
            started.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        };
        var host = await StartAsync(shutdownTimeout: TimeSpan.Zero);
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        await host.StopAsync();

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Equal(1, host.Log.Count(2010));
        await host.DisposeAsync();
    }

    [Fact]
    public async Task What_was_claimed_ahead_and_has_not_started_is_released_at_once()
    {
        var (started, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        _work.Do = (_, _) =>
        {
            started.TrySetResult();
            return finish.Task;
        };
        var host = await StartAsync(shutdownTimeout: TimeSpan.FromHours(1), concurrency: 1, prefetch: 10);
        var results = await host.Queue.EnqueueManyAsync(
            Enumerable.Range(0, 5).Select(number => EnqueueRequest.Create(new TestArgs(number))));
        await started.Task;
        await _store.Until(store => store.Entries.All(entry => entry.Fence is not null));

        var stop = host.StopAsync();
        await _store.Until(store => store.Entries.Count(entry => entry.Kinds is [.., OutcomeKind.Released]) == 4);
        Assert.False(stop.IsCompleted);
        finish.SetResult();
        await stop;

        var entries = results.Select(result => _store.Entry(result.Id)).ToList();
        var completed = Assert.Single(entries, static entry => entry.Kinds is [OutcomeKind.Completed]);
        Assert.All(entries.Where(entry => entry != completed), OutcomeAssert.Released);
        Assert.Equal(0, _store.OpenClaims);
        await host.DisposeAsync();
    }

    /// <summary>Between the order to stop and the moment when what has not started is released, executors end and look for more.</summary>
    [Fact]
    public async Task Nothing_that_was_claimed_ahead_is_forgotten_at_a_stop_under_load()
    {
        for (var round = 0; round < 20; round++)
        {
            var store = new FakeQueueStore();
            for (var number = 0; number < 3_000; number++)
            {
                store.Add("test.work", """{"number":1}""");
            }

            var host = await StartAsync(concurrency: 20, prefetch: 2_000, store: store);
            await store.Until(_ => store.Entries.Count(entry => entry.IsEnded) > 100 + (50 * round));

            await host.StopAsync();

            Assert.Equal(0, store.OpenClaims);
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_handler_that_ignores_its_token_does_not_keep_its_entry_from_others()
    {
        var started = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        _work.Do = (_, _) =>
        {
            started.TrySetResult();
            return finish.Task;
        };
        var host = await StartAsync(
            shutdownTimeout: TimeSpan.Zero, limits: WorkHost.PatientStop with { CancelTime = TimeSpan.FromMilliseconds(100) });
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        await host.StopAsync();

        OutcomeAssert.Released(_store.Entry(id));
        finish.SetResult();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_handler_hears_of_the_stop_at_once_and_may_end_early()
    {
        var started = new TaskCompletionSource();
        _work.Do = async (context, cancellationToken) =>
        {
            started.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.Equal((StopReason.None, false), (context.StopReason, cancellationToken.IsCancellationRequested));
        };
        var host = await StartAsync(shutdownTimeout: TimeSpan.FromHours(1));
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        await host.StopAsync();

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Equal(0, host.Log.Count(2010));
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_handler_that_throws_because_the_host_stops_spends_no_attempt()
    {
        var started = new TaskCompletionSource();
        _work.Do = (context, _) =>
        {
            started.TrySetResult();
            return Task.Delay(Timeout.Infinite, context.Stopping);
        };
        var host = await StartAsync(shutdownTimeout: TimeSpan.FromHours(1));
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await started.Task;

        await host.StopAsync();

        OutcomeAssert.Released(_store.Entry(id));
        Assert.Equal(0, _store.Entry(id).Attempt);
        Assert.Equal(0, host.Log.Count(2001) + host.Log.Count(2002));
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Another_error_while_the_host_stops_spends_an_attempt()
    {
        var started = new TaskCompletionSource();
        _work.Do = async (context, _) =>
        {
            started.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new InvalidOperationException("broken");
        };
        var host = await StartAsync(shutdownTimeout: TimeSpan.FromHours(1));
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await started.Task;

        await host.StopAsync();

        Assert.Equal([OutcomeKind.Failed], _store.Entry(id).Kinds);
        await host.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_checkpoint_while_the_host_stops_ends_the_run_as_released(bool swallows)
    {
        var started = new TaskCompletionSource();
        _work.Do = async (context, cancellationToken) =>
        {
            try
            {
                for (var round = 1; ; round++)
                {
                    started.TrySetResult();
                    await Task.Delay(Timeout.Infinite, context.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    await context.SaveCheckpointAsync(round, cancellationToken);
                }
            }
            catch (OperationCanceledException) when (swallows)
            {
                Assert.Equal(StopReason.Shutdown, context.StopReason);
            }
        };
        var host = await StartAsync(shutdownTimeout: TimeSpan.FromHours(1));
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        await host.StopAsync();

        OutcomeAssert.Released(_store.Entry(id));
        Assert.Equal("1"u8.ToArray(), _store.Entry(id).Checkpoint!.Value.ToArray());
        await host.DisposeAsync();
    }

    [Theory]
    [InlineData(5, 1)]
    [InlineData(13, 0)]
    public async Task A_host_that_waits_for_less_than_the_library_needs_is_named_at_the_start(int seconds, int warnings)
    {
        await using var host = await WorkHost.StartAsync(_store, builder =>
        {
            builder.Services.AddSingleton(_work);
            builder.Services.AddSingleton(new WorkLimits());
            builder.AddWorker<TestArgs, TestWorker>();
            builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(seconds));
        });

        Assert.Equal(warnings, host.Log.Count(2015));
    }

    /// <summary>As a program does that forgets to stop its host, or a test host.</summary>
    [Fact]
    public async Task A_host_that_is_disposed_without_a_stop_gives_its_work_back_and_leaves()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reason = StopReason.None;
        _work.Do = async (context, cancellationToken) =>
        {
            started.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                reason = context.StopReason;
            }
        };
        var host = await StartAsync();
        var log = host.Log;
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;

        await DisposeWithoutStopAsync(host);
        await _store.Until(static now => now.LeftNodes.Count > 0);

        Assert.Equal(StopReason.Shutdown, reason);
        OutcomeAssert.Released(_store.Entry(id));
        Assert.Single(_store.LeftNodes);
        Assert.DoesNotContain(log.Lines, line => line.Level >= LogLevel.Error);
        await host.StopAsync();
    }

    [Fact]
    public async Task Work_that_starts_while_its_host_is_disposed_spends_no_attempt()
    {
        var host = await StartAsync();
        var (store, id) = (_store, 0L);
        host.Services.GetRequiredService<DisposedFirst>().OnDispose = () =>
        {
            id = store.Add("test.work", """{"number":1}""");
            store.Until(_ => store.Entry(id).Outcomes.Count > 0).GetAwaiter().GetResult();
        };

        await DisposeWithoutStopAsync(host);
        await _store.Until(static now => now.LeftNodes.Count > 0);

        OutcomeAssert.Released(_store.Entry(id));
        Assert.Equal(0, _store.Entry(id).Attempt);
        Assert.Single(_store.LeftNodes);
    }

    // The dispose waits for handlers. On a thread of its own it does not keep them from one of the pool's.
    private static Task DisposeWithoutStopAsync(WorkHost host)
        => Task.Factory.StartNew(
            host.DisposeWithoutStop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private Task<WorkHost> StartAsync(
        TimeSpan? shutdownTimeout = null, int? concurrency = null, int? prefetch = null, FakeQueueStore? store = null,
        WorkLimits? limits = null)
        => WorkHost.StartAsync(
            store ?? _store,
            builder =>
            {
                builder.Services.AddSingleton(_work);
                builder.Services.AddSingleton(limits ?? WorkHost.PatientStop);
                builder.Services.AddSingleton<DisposedFirst>();
                builder.AddWorker<TestArgs, TestWorker>();
                builder.AddQueue("default", concurrency, prefetch);
            },
            options => options.ShutdownTimeout = shutdownTimeout ?? options.ShutdownTimeout);

    /// <summary>Created last, so that it is disposed before everything that works entries.</summary>
    private sealed class DisposedFirst : IDisposable
    {
        public Action OnDispose { get; set; } = static () => { };

        public void Dispose() => OnDispose();
    }
}
