using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Instances;

/// <summary>How a host with several instances starts.</summary>
public sealed class InstanceStartTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly WorkLog _log = new();

    /// <summary>The clock stands still, so that the wait for the first store would never end.</summary>
    [Fact]
    public async Task Unreachable_instances_delay_the_start_as_one_does()
    {
        const int instances = 3;
        var allBegan = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var answer = new ManualResetEventSlim();
        var began = 0;
        var clock = new ManualTimeProvider();
        var builder = WorkHost.NewBuilder(_log);
        builder.Services.AddSingleton<TimeProvider>(clock);
        for (var number = 0; number < instances; number++)
        {
            builder.Services.AddInstance($"region-{number}", Store(() =>
            {
                if (Interlocked.Increment(ref began) == instances)
                {
                    allBegan.TrySetResult();
                }

                answer.Wait(Limit);
            }));
        }

        using var host = builder.Build();
        var start = host.StartAsync();
        try
        {
            await allBegan.Task.WaitAsync(Limit);
            Assert.False(start.IsCompleted);
        }
        finally
        {
            answer.Set();
        }

        await start.WaitAsync(Limit);
        await host.StopAsync();
    }

    [Fact]
    public async Task The_start_fails_with_the_error_of_the_instance_that_could_not_start()
    {
        var builder = WorkHost.NewBuilder(_log);
        builder.Services.AddInstance("first", Store(static () => { }), FailFast);
        builder.Services.AddInstance("second", Store(static () => throw new StoreUnavailableException("The database is down.")), FailFast);
        using var host = builder.Build();

        var failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => host.StartAsync());

        Assert.Equal("The database is down.", failure.Message);
    }

    /// <summary>Such a service may create the database of the instance that is registered after it.</summary>
    [Fact]
    public async Task A_service_that_has_a_part_in_the_start_comes_before_the_instances_after_it()
    {
        var order = new List<string>();
        var builder = WorkHost.NewBuilder(_log);
        builder.Services.AddInstance("first", Store(() => Add("first")), FailFast);
        builder.Services.AddSingleton<IHostedService>(new Preparation(() => Add("service")));
        builder.Services.AddInstance("second", Store(() => Add("second")), FailFast);
        using var host = builder.Build();

        await host.StartAsync();
        await host.StopAsync();

        Assert.Equal(["first", "service", "second"], order);

        void Add(string what)
        {
            lock (order)
            {
                order.Add(what);
            }
        }
    }

    private static void FailFast(TaskRecoveryOptions options) => options.StartupMode = StartupMode.FailFast;

    private static FakeQueueStore Store(Action prepare) => new()
    {
        OnCall = call =>
        {
            if (call == "prepare")
            {
                prepare();
            }
        },
    };

    private sealed class Preparation(Action prepare) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken)
        {
            prepare();
            return Task.CompletedTask;
        }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
