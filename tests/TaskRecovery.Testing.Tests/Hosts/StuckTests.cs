using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TaskRecovery.Storage;
using TaskRecovery.Testing.Hosts;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>A drain that can't end fails within a bounded time, although the test's clock stands still, and names the cause.</summary>
public sealed class StuckTests
{
    private static readonly DrainOptions Impatient = new() { Timeout = TimeSpan.FromSeconds(3) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TestRunning.Manual)]
    [InlineData(TestRunning.Automatic)]
    public async Task A_worker_that_never_returns_is_named(TestRunning running)
    {
        await AssertStuckAsync(
            () => StartAsync(
                static (_, token) => Task.Delay(Timeout.Infinite, token),
                options => (options.Running, options.Time) = (running, running == TestRunning.Manual ? options.Time : null)),
            ["for 3 s no run has ended", "entry 1, kind numbers, attempt 1 of 10"]);
    }

    [Fact]
    public async Task A_transaction_that_a_worker_leaves_open_is_named()
    {
        SqliteConnection? own = null;

        await AssertStuckAsync(
            () => StartAsync(async (context, token) => own = await BeginAsync(context.Services, token)),
            ["the outcomes of 1 runs could not be stored", "has been locked", "entry 1, kind numbers"],
            async application =>
            {
                await own!.DisposeAsync();
                await application.Test.DrainAsync(cancellationToken: Cancellation);
                Assert.Equal(1, (await application.Queue.CountAsync(cancellationToken: Cancellation)).Completed);
            });
    }

    [Fact]
    public Task A_step_that_waits_for_the_worker_s_own_transaction_is_named() => AssertStuckAsync(
        static () => StartAsync(static async (context, token) =>
        {
            await using var own = await BeginAsync(context.Services, token);
            await context.StepAsync("pay", static _ => Task.FromResult(1), token);
        }),
        ["entry 1, kind numbers, attempt 1 of 10", "has been locked"]);

    [Fact]
    public async Task A_node_that_could_not_leave_because_of_an_open_transaction_is_replaced_by_the_next()
    {
        await using var application = await StartAsync(static (_, _) => Task.CompletedTask);
        await application.Test.DrainAsync(cancellationToken: Cancellation);
        await using (await BeginAsync(application.Services, Cancellation))
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => application.Test.RestartAsync(Cancellation));
        }

        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(1, await CountNodesAsync(application.Services, "dead_at is null"));
        Assert.Equal(1, await CountNodesAsync(application.Services, "dead_at is not null"));
    }

    [Fact]
    public async Task A_node_whose_leave_the_database_refused_is_replaced_by_the_next()
    {
        await using var application = await StartAsync(static (_, _) => Task.CompletedTask);
        await application.Test.DrainAsync(cancellationToken: Cancellation);
        await ExecuteAsync(
            application.Services,
            "create trigger refuse before update on taskrecovery_nodes begin select raise(abort, 'refused'); end");
        await Assert.ThrowsAsync<ContentRefusedException>(() => application.Test.RestartAsync(Cancellation));
        await ExecuteAsync(application.Services, "drop trigger refuse");

        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(1, await CountNodesAsync(application.Services, "dead_at is null"));
        Assert.Equal(1, await CountNodesAsync(application.Services, "dead_at is not null"));
    }

    [Fact]
    public async Task A_node_that_could_not_declare_a_killed_one_dead_is_replaced_by_the_next()
    {
        var failures = 0;
        await using var application = await TestApplication.StartAsync(
            static (_, _) => Task.CompletedTask,
            wrap: store => WatchedCalls.OfStore(store, call =>
            {
                if (call == nameof(INodeSession.SendHeartbeat) && Interlocked.Decrement(ref failures) >= 0)
                {
                    throw new StoreUnavailableException("down");
                }
            }));
        await application.Test.KillNodeAsync(cancellationToken: Cancellation);
        failures = 1;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => application.Test.DrainAsync(cancellationToken: Cancellation));

        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(1, await CountNodesAsync(application.Services, "dead_at is null"));
        Assert.Equal(2, await CountNodesAsync(application.Services, "dead_at is not null"));
    }

    [Fact]
    public async Task Many_runs_at_once_are_stored_although_the_clock_stands_still()
    {
        await using var application = await StartAsync(static (_, _) => Task.CompletedTask);
        await application.Queue.EnqueueManyAsync(
            Enumerable.Range(0, 300).Select(number => EnqueueRequest.Create(new Numbers(number))), cancellationToken: Cancellation);

        var drained = await application.Test.DrainAsync(new DrainOptions { Concurrency = 100 }, Cancellation);

        Assert.Equal(300, drained.Runs.Count);
    }

    [Fact]
    public async Task A_timeout_of_zero_is_refused()
    {
        await using var application = await StartAsync(static (_, _) => Task.CompletedTask);

        var error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => application.Test.DrainAsync(new DrainOptions { Timeout = TimeSpan.Zero }, Cancellation));

        Assert.Contains("DrainOptions.Timeout is 00:00:00: use more than zero", error.Message, StringComparison.Ordinal);
    }

    // On a machine that stands still, the time of a drain may be over before its worker has got that far: then all of it is repeated.
    private static async Task AssertStuckAsync(
        Func<Task<TestApplication>> start, string[] texts, Func<TestApplication, Task>? then = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var application = await start();
            await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

            var stuck = await Assert.ThrowsAsync<DrainException>(() => application.Test.DrainAsync(Impatient, Cancellation));

            if (attempt == 10 || Array.TrueForAll(texts, text => stuck.Message.Contains(text, StringComparison.Ordinal)))
            {
                Assert.All(texts, text => Assert.Contains(text, stuck.Message, StringComparison.Ordinal));
                await (then?.Invoke(application) ?? Task.CompletedTask);
                return;
            }
        }
    }

    private static Task<TestApplication> StartAsync(
        Func<WorkContext<Numbers>, CancellationToken, Task> work, Action<TaskRecoveryTestingOptions>? configure = null)
        => TestApplication.StartAsync(work, options =>
        {
            options.Time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
            options.BusyTimeout = TimeSpan.FromMilliseconds(100);
            configure?.Invoke(options);
        });

    // A transaction of the worker's own on the file of the queue, which has one write lock.
    private static async Task<SqliteConnection> BeginAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var connection = await OpenAsync(services, cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = "begin immediate";
        await command.ExecuteNonQueryAsync(cancellationToken);
        return connection;
    }

    private static async Task ExecuteAsync(IServiceProvider services, string statement)
    {
        await using var connection = await OpenAsync(services, Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<long> CountNodesAsync(IServiceProvider services, string condition)
    {
        await using var connection = await OpenAsync(services, Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = $"select count(*) from taskrecovery_nodes where {condition}";
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task<SqliteConnection> OpenAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var path = services.GetRequiredService<TestFolder>().DatabasePath;
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    /// <summary>A store whose sessions call the test before each of their own calls.</summary>
    [SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives a class from it.")]
    private class WatchedCalls : DispatchProxy
    {
        private object? _inner;
        private Action<string>? _onCall;

        public static IQueueStore OfStore(IQueueStore inner, Action<string> onCall)
        {
            var store = Create<IQueueStore, WatchedCalls>();
            ((WatchedCalls)(object)store).Watch(inner, onCall);
            return store;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (_inner is INodeSession)
            {
                _onCall!(targetMethod!.Name);
            }

            var answer = targetMethod!.Invoke(_inner, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null);
            return answer is INodeSession session ? OfSession(session, _onCall!) : answer;
        }

        private static INodeSession OfSession(INodeSession inner, Action<string> onCall)
        {
            var session = Create<INodeSession, WatchedCalls>();
            ((WatchedCalls)(object)session).Watch(inner, onCall);
            return session;
        }

        private void Watch(object inner, Action<string> onCall) => (_inner, _onCall) = (inner, onCall);
    }
}
