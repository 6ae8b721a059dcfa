namespace TaskRecovery.Testing.Tests.Runs;

/// <summary>What one run of a task handler without a store shows.</summary>
public sealed class TaskHandlerTestTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_task_of_the_run_is_the_one_of_the_options()
    {
        var (job, task, due) = (Guid.NewGuid(), Guid.NewGuid(), new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero));
        TaskContext<Numbers>? seen = null;
        var handler = new ActionHandler<Numbers>((context, _) =>
        {
            seen = context;
            return Task.CompletedTask;
        });

        var run = await TaskHandlerTest.RunAsync(
            handler, new Numbers(5),
            options => options with { JobId = job, JobName = "nightly", TaskId = task, DueAt = due }, Cancellation);

        run.ShouldComplete();
        Assert.Equal((job, "nightly", task, due, 5), (seen!.JobId, seen.JobName, seen.TaskId, seen.DueAt, seen.Args.First));
    }

    [Fact]
    public async Task A_handler_is_cancelled_at_a_place()
    {
        var handler = new ActionHandler<Numbers>(
            async (context, token) => await context.StepAsync("one", inner => Task.FromCanceled(inner), token));

        var run = await TaskHandlerTest.RunAsync(
            handler, new Numbers(5), options => options.Cancel(StopReason.Shutdown, Place.InStep("one")), Cancellation);

        run.ShouldRelease();
    }

    [Fact]
    public async Task A_handler_survives_a_crash_everywhere()
    {
        var report = await TaskHandlerTest.CrashEverywhereAsync(
            world: () => new List<int>(),
            handler: world => new ActionHandler<Numbers>(async (context, token) =>
            {
                for (var i = 0; i < context.Args.Count; i++)
                {
                    var number = context.Args.First + i;
                    await context.StepAsync($"add {number}", _ => Task.Run(() => world.Add(number), CancellationToken.None), token);
                }
            }),
            args: new Numbers(1, 3),
            check: world => Assert.Equal([1, 2, 3], world),
            cancellationToken: Cancellation);

        Assert.Equal(8, report.Places.Count);
    }
}
