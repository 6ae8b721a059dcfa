using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>What a drain says about due entries that the application can't run.</summary>
public sealed class UnservedTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TestRunning.Manual)]
    [InlineData(TestRunning.Automatic)]
    public async Task A_queue_that_is_not_served_fails_the_drain(TestRunning running)
    {
        await using var application = await StartAsync(configure: options => options.Running = running);
        await application.Queue.EnqueueAsync(new Numbers(1), new EnqueueOptions { Queue = "slow" }, Cancellation);

        var failed = await Assert.ThrowsAsync<DrainException>(() => application.Test.DrainAsync(cancellationToken: Cancellation));

        Assert.Contains(
            "kind 'numbers' in the queue 'slow': the application does not serve the queue", failed.Message, StringComparison.Ordinal);
        Assert.Contains("call AddQueue", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("AddKind", failed.Message, StringComparison.Ordinal);
        Assert.Empty(failed.Failures);
    }

    [Theory]
    [InlineData(TestRunning.Manual)]
    [InlineData(TestRunning.Automatic)]
    public async Task A_queue_that_another_process_serves_can_be_allowed_for_all_drains(TestRunning running)
    {
        await using var application = await StartAsync(configure: options =>
        {
            options.Running = running;
            options.AllowUnserved = true;
        });
        await application.Queue.EnqueueAsync(new Numbers(1), new EnqueueOptions { Queue = "slow" }, Cancellation);

        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(("numbers", "slow", true), Unserved(drained));
    }

    [Fact]
    public async Task A_kind_without_a_worker_fails_the_drain_unless_it_is_allowed()
    {
        await using var application = await StartAsync();
        await application.Queue.EnqueueAsync(new Forgotten(1), cancellationToken: Cancellation);

        var failed = await Assert.ThrowsAsync<DrainException>(() => application.Test.DrainAsync(cancellationToken: Cancellation));
        var drained = await application.Test.DrainAsync(new DrainOptions { AllowUnserved = true }, Cancellation);

        Assert.Contains(
            "kind 'forgotten' in the queue 'default': the application has no worker for the kind", failed.Message,
            StringComparison.Ordinal);
        Assert.Contains("call AddKind", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("AddQueue", failed.Message, StringComparison.Ordinal);
        Assert.Equal(("forgotten", "default", false), Unserved(drained));
        Assert.StartsWith("not run: kind 'forgotten'", drained.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kind_that_the_application_only_enqueues_is_reported()
    {
        await using var application = await StartAsync(builder => builder.AddKind<Forgotten>());
        await application.Queue.EnqueueAsync(new Forgotten(1), cancellationToken: Cancellation);

        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(("forgotten", "default", false), Unserved(drained));
    }

    [Fact]
    public async Task An_application_without_workers_only_enqueues()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery();
        builder.Services.AddTaskRecoveryTesting();
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Forgotten(1), cancellationToken: Cancellation);
        var test = host.Services.GetTaskRecoveryTest();

        var drained = await test.DrainAsync(cancellationToken: Cancellation);
        var advanced = await test.AdvanceAsync(TimeSpan.FromHours(1), cancellationToken: Cancellation);

        Assert.Equal(("forgotten", "default", false), Unserved(drained));
        Assert.Equal(("forgotten", "default", false), Unserved(advanced));
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Nothing_is_said_of_what_is_due_later_or_paused_or_not_drained()
    {
        await using var application = await StartAsync(builder => builder.AddQueue("served"));
        await application.Queue.EnqueueAsync(new Forgotten(1), new EnqueueOptions { RunAfter = TimeSpan.FromHours(1) }, Cancellation);
        await application.Queue.EnqueueAsync(new Forgotten(2), new EnqueueOptions { Queue = "paused" }, Cancellation);
        await application.Queue.PauseAsync("paused", Cancellation);
        await application.Queue.EnqueueAsync(new Forgotten(3), new EnqueueOptions { Queue = "served" }, Cancellation);

        Assert.Empty((await application.Test.DrainAsync(new DrainOptions { Queues = ["default"] }, Cancellation)).Unserved);
        Assert.Empty((await application.Test.DrainAsync(new DrainOptions { Kinds = ["numbers"] }, Cancellation)).Unserved);
        var failed = await Assert.ThrowsAsync<DrainException>(() => application.Test.DrainAsync(cancellationToken: Cancellation));
        Assert.Contains("queue 'served'", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("queue 'paused'", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("queue 'default'", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_is_found_when_an_advance_makes_it_due()
    {
        await using var application = await StartAsync();
        await application.Queue.EnqueueAsync(new Forgotten(1), new EnqueueOptions { RunAfter = TimeSpan.FromHours(1) }, Cancellation);

        var drained = await application.Test.AdvanceAsync(
            TimeSpan.FromHours(2), new DrainOptions { AllowUnserved = true }, Cancellation);

        Assert.Equal(("forgotten", "default", false), Unserved(drained));
    }

    private static (string Kind, string Queue, bool HasWorker) Unserved(DrainResult drained)
    {
        var work = Assert.Single(drained.Unserved);
        return (work.Kind, work.Queue, work.HasWorker);
    }

    private static Task<TestApplication> StartAsync(
        Action<TaskRecoveryBuilder>? register = null, Action<TaskRecoveryTestingOptions>? configure = null)
        => TestApplication.StartAsync(static (_, _) => Task.CompletedTask, configure, register);

    [JobKind("forgotten")]
    private sealed record Forgotten(int Number);
}
