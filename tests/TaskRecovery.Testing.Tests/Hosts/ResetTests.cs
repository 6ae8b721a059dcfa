using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>What several tests that share a host see of each other.</summary>
public sealed class ResetTests
{
    private readonly List<int> _seen = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_reset_there_are_only_new_entries_and_time_is_the_present()
    {
        await using var application = await StartAsync();
        var before = application.Test.Now;
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);
        await application.Queue.EnqueueAsync(new Numbers(2), new EnqueueOptions { RunAfter = TimeSpan.FromDays(9) }, Cancellation);
        await application.Test.AdvanceAsync(TimeSpan.FromDays(2), cancellationToken: Cancellation);

        await application.Test.ResetAsync(Cancellation);
        await application.Test.ShouldNotHaveEnqueuedAsync<Numbers>(cancellationToken: Cancellation);
        await application.Queue.EnqueueAsync(new Numbers(3), cancellationToken: Cancellation);
        var found = await application.Test.ShouldHaveEnqueuedAsync<Numbers>(count: 1, cancellationToken: Cancellation);
        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(3, found.Args.First);
        Assert.Equal(found.Entry.Id, Assert.Single(drained.Runs).EntryId);
        Assert.Equal([1, 3], _seen);
        Assert.InRange(application.Test.Now, before, before + TimeSpan.FromDays(1));
        Assert.Equal(application.Test.Now, application.Services.GetRequiredService<TimeProvider>().GetUtcNow());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_that_the_code_declares_is_new(bool hasRun)
    {
        await using var application = await StartAsync(builder =>
        {
            builder.Services.AddSingleton(new ActionHandler<Report>((context, _) => See(context.Args.Number)));
            builder.AddTaskHandler<Report, ActionHandler<Report>>().AddIntervalJob("nightly", TimeSpan.FromDays(1), new Report(7));
        });
        if (hasRun)
        {
            await application.Test.DrainAsync(cancellationToken: Cancellation);
        }

        _seen.Clear();
        await application.Test.ResetAsync(Cancellation);
        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal([7], _seen);
    }

    [Fact]
    public async Task What_a_killed_node_ran_is_gone()
    {
        await using var application = await StartAsync();
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);
        await application.Test.KillNodeAsync(at: Place.Start, cancellationToken: Cancellation);

        await application.Test.ResetAsync(Cancellation);

        Assert.Empty((await application.Test.DrainAsync(cancellationToken: Cancellation)).Runs);
        Assert.Empty(_seen);
    }

    [Fact]
    public async Task In_the_background_nothing_is_reset()
    {
        await using var application = await StartAsync(configure: options => options.Running = TestRunning.Automatic);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => application.Test.ResetAsync(Cancellation));

        Assert.StartsWith("ResetAsync needs ", error.Message, StringComparison.Ordinal);
    }

    private Task<TestApplication> StartAsync(
        Action<TaskRecoveryBuilder>? register = null, Action<TaskRecoveryTestingOptions>? configure = null)
        => TestApplication.StartAsync((context, _) => See(context.Args.First), configure, register);

    private Task See(int number)
    {
        _seen.Add(number);
        return Task.CompletedTask;
    }

    [JobKind("report")]
    private sealed record Report(int Number);
}
