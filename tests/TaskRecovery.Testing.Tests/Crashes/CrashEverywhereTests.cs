namespace TaskRecovery.Testing.Tests.Crashes;

/// <summary>What a crash at every place finds.</summary>
public sealed class CrashEverywhereTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_place_is_tried_once()
    {
        var report = await WorkerTest.CrashEverywhereAsync(
            () => new World(), TwoSteps, new Numbers(1), world => Assert.Equal(["a", "b"], world.Effects), cancellationToken: Cancellation);

        Assert.Equal(
            [Place.Start, Place.InStep("a"), Place.AfterStep("a"), Place.InStep("b"), Place.AfterStep("b"), Place.End], report.Places);
        Assert.Equal(7, report.Trials);
    }

    [Fact]
    public async Task An_effect_that_is_not_idempotent_is_found_only_where_it_is_not_recorded()
    {
        var failed = await Assert.ThrowsAsync<TestFailedException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(), TwoSteps, new Numbers(1), world => Assert.Equal(["a", "b"], world.Effects),
            CrashPlaces.All, cancellationToken: Cancellation));

        Assert.StartsWith(
            "After a crash at the end of step 'a', before its result is stored in run 1, the check fails: ",
            failed.Message, StringComparison.Ordinal);
        Assert.EndsWith("  run 1: crashed at the end of step 'a', before its result is stored\n  run 2: ran 'a', "
            + "ran 'b', completed", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_effect_between_two_steps_is_found()
    {
        var failed = await Assert.ThrowsAsync<TestFailedException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(),
            world => new ActionWorker<Numbers>(async (context, token) =>
            {
                await context.StepAsync("a", _ => world.DoAsync("a"), token);
                await world.DoAsync("between");
                await context.StepAsync("b", _ => world.DoAsync("b"), token);
            }),
            new Numbers(1),
            world => Assert.Equal(["a", "between", "b"], world.Effects),
            cancellationToken: Cancellation));

        Assert.StartsWith("After a crash in step 'b' in run 1, the check fails: ", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_crash_runs_no_catch_no_finally_no_dispose_and_no_middleware()
    {
        var middleware = new FinallyMiddleware();

        var report = await WorkerTest.CrashEverywhereAsync(
            () => new World(),
            world => new ActionWorker<Numbers>(async (context, token) =>
            {
                try
                {
                    await using var guard = new Guard(world);
                    await context.StepAsync("a", _ => Task.CompletedTask, token);
                }
                catch (Exception)
                {
                    world.Effects.Add("catch");
                }
                finally
                {
                    world.Effects.Add("finally");
                }
            }),
            new Numbers(1),
            world => Assert.Equal(["dispose", "finally"], world.Effects.Take(2)),
            configure: options => options with { Middleware = [middleware] },
            cancellationToken: Cancellation);

        // At the end of the handler they have run, and they run again in the next run.
        Assert.Equal([Place.Start, Place.InStep("a"), Place.AfterStep("a"), Place.End], report.Places);
        Assert.Equal(report.Trials + 1, middleware.Finished);
    }

    [Fact]
    public async Task A_run_after_a_crash_knows_of_it()
    {
        var seen = new List<int>();

        await WorkerTest.CrashEverywhereAsync(
            () => new World(),
            world => new ActionWorker<Numbers>(async (context, token) =>
            {
                world.Crashes = context.Crashes;
                await context.StepAsync("a", _ => Task.CompletedTask, token);
            }),
            new Numbers(1),
            world => seen.Add(world.Crashes),
            cancellationToken: Cancellation);

        Assert.Equal([0, 1, 1, 1, 1], seen);
    }

    [Fact]
    public async Task Depth_two_finds_what_needs_two_crashes()
    {
        // Wrong only in the second recovery.
        static ActionWorker<Numbers> Worker(World world) => new(async (context, token) =>
        {
            world.Runs++;
            await context.StepAsync("a", _ => world.Runs > 2 ? world.DoAsync("wrong") : world.DoAsync("a"), token);
        });

        await WorkerTest.CrashEverywhereAsync(
            () => new World(), Worker, new Numbers(1),
            world => Assert.DoesNotContain("wrong", world.Effects), cancellationToken: Cancellation);
        var failed = await Assert.ThrowsAsync<TestFailedException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(), Worker, new Numbers(1), world => Assert.DoesNotContain("wrong", world.Effects),
            depth: 2, cancellationToken: Cancellation));

        Assert.StartsWith(
            "After a crash in step 'a' in run 1, and another crash in step 'a' in run 2, the check fails",
            failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_loop_resumes_at_the_checkpoint()
    {
        static ActionWorker<Numbers> Worker(World world) => new(async (context, token) =>
        {
            for (var i = await context.GetCheckpointAsync<int>(token); i < context.Args.Count; i++)
            {
                await world.DoAsync($"{i}");
                await context.SaveCheckpointAsync(i + 1, token);
            }
        });

        var report = await WorkerTest.CrashEverywhereAsync(
            () => new World(), Worker, new Numbers(0, 3),
            world => Assert.Equal(["0", "1", "2"], world.Effects), depth: 2, cancellationToken: Cancellation);

        Assert.Equal([Place.Start, Place.AfterCheckpoint(1), Place.AfterCheckpoint(2), Place.AfterCheckpoint(3), Place.End], report.Places);
    }

    [Fact]
    public async Task A_worker_that_fails_after_a_crash_is_found()
    {
        var failed = await Assert.ThrowsAsync<TestFailedException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(),
            _ => new ActionWorker<Numbers>(
                (context, _) => context.Crashes > 0 ? throw new InvalidOperationException("already sent") : Task.CompletedTask),
            new Numbers(1),
            _ => { },
            configure: options => options with { MaxAttempts = 2 },
            cancellationToken: Cancellation));

        Assert.Contains("the entry ends as Failed, and without a crash as Completed", failed.Message, StringComparison.Ordinal);
        Assert.Contains("already sent", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_snoozes_for_ever_is_found()
    {
        var failed = await Assert.ThrowsAsync<TestFailedException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(),
            _ => new ActionWorker<Numbers>((context, _) =>
            {
                context.Snooze(TimeSpan.FromHours(1));
                return Task.CompletedTask;
            }),
            new Numbers(1),
            _ => { },
            cancellationToken: Cancellation));

        Assert.Contains("has not ended after 1000 runs", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_always_fails_is_found()
    {
        var failed = await Assert.ThrowsAsync<TestFailedException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(),
            _ => new ActionWorker<Numbers>(static (_, _) => throw new InvalidOperationException("no server")),
            new Numbers(1),
            _ => { },
            cancellationToken: Cancellation));

        Assert.StartsWith("Without a crash, the entry ends as Failed. ", failed.Message, StringComparison.Ordinal);
        Assert.Contains("no server", failed.Message, StringComparison.Ordinal);
        Assert.Contains("set WorkerTestOptions.ExpectedEnd", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_that_is_meant_is_compared_after_each_crash()
    {
        static ActionWorker<Numbers> Worker(World world) => new(async (context, token) =>
        {
            await context.StepAsync("a", _ => world.DoAsync("a"), token);
            context.Cancel("not needed");
        });

        var report = await WorkerTest.CrashEverywhereAsync(
            () => new World(), Worker, new Numbers(1), world => Assert.Equal(["a"], world.Effects),
            configure: options => options with { ExpectedEnd = RunEnd.Cancelled }, cancellationToken: Cancellation);

        Assert.Equal(5, report.Trials);
    }

    [Fact]
    public async Task An_end_that_no_entry_has_is_refused()
        => await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(), TwoSteps, new Numbers(1), _ => { },
            configure: options => options with { ExpectedEnd = RunEnd.Retried }, cancellationToken: Cancellation));

    [Fact]
    public async Task A_world_that_was_returned_before_is_refused()
    {
        var world = new World();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => WorkerTest.CrashEverywhereAsync(
            () => world, TwoSteps, new Numbers(1), _ => { }, cancellationToken: Cancellation));

        Assert.StartsWith("The function 'world' returned a ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("empty that and return a new object around it.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_world_around_a_shared_database_is_accepted()
    {
        var database = new World();

        var report = await WorkerTest.CrashEverywhereAsync(
            () =>
            {
                database.Effects.Clear();
                return new SharedWorld(database);
            },
            world => TwoSteps(world.Database), new Numbers(1), world => Assert.Equal(["a", "b"], world.Database.Effects),
            cancellationToken: Cancellation);

        Assert.Equal(report.Places.Count + 1, report.Trials);
    }

    [Fact]
    public async Task A_worker_or_a_handler_that_was_returned_before_is_refused()
    {
        var worker = new ActionWorker<Numbers>(static (_, _) => Task.CompletedTask);
        var handler = new ActionHandler<Numbers>(static (_, _) => Task.CompletedTask);

        var ofWorker = await Assert.ThrowsAsync<InvalidOperationException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(), _ => worker, new Numbers(1), _ => { }, cancellationToken: Cancellation));
        var ofHandler = await Assert.ThrowsAsync<InvalidOperationException>(() => TaskHandlerTest.CrashEverywhereAsync(
            () => new World(), _ => handler, new Numbers(1), _ => { }, cancellationToken: Cancellation));

        Assert.StartsWith("The function 'worker' returned a ", ofWorker.Message, StringComparison.Ordinal);
        Assert.StartsWith("The function 'handler' returned a ", ofHandler.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_world_that_is_a_value_or_a_text_is_the_same_each_time()
    {
        var ofNumber = await WorkerTest.CrashEverywhereAsync(
            () => 0, _ => new ActionWorker<Numbers>(static (_, _) => Task.CompletedTask), new Numbers(1), _ => { },
            cancellationToken: Cancellation);
        var ofText = await WorkerTest.CrashEverywhereAsync(
            () => "folder", _ => new ActionWorker<Numbers>(static (_, _) => Task.CompletedTask), new Numbers(1), _ => { },
            cancellationToken: Cancellation);

        Assert.Equal((3, 3), (ofNumber.Trials, ofText.Trials));
    }

    [Fact]
    public async Task A_check_that_fails_without_a_crash_says_so()
    {
        var failed = await Assert.ThrowsAsync<TestFailedException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(), TwoSteps, new Numbers(1), world => Assert.Empty(world.Effects), cancellationToken: Cancellation));

        Assert.StartsWith("Without a crash, the check fails: ", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_asynchronous_check_is_awaited()
        => await Assert.ThrowsAsync<TestFailedException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(),
            TwoSteps,
            new Numbers(1),
            async world =>
            {
                await Task.Yield();
                Assert.Empty(world.Effects);
            },
            cancellationToken: Cancellation));

    [Fact]
    public async Task A_crash_ends_parallel_steps_too()
    {
        await WorkerTest.CrashEverywhereAsync(
            () => new World(),
            world => new ActionWorker<Numbers>(async (context, token) => await Task.WhenAll(
                context.StepAsync("a", _ => world.DoAsync("a"), token), context.StepAsync("b", _ => world.DoAsync("b"), token))),
            new Numbers(1),
            world => Assert.Equal(["a", "b"], world.Effects.Distinct().Order()),
            cancellationToken: Cancellation);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public async Task A_depth_out_of_range_is_refused(int depth)
        => await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => WorkerTest.CrashEverywhereAsync(
            () => new World(), TwoSteps, new Numbers(1), _ => { }, depth: depth, cancellationToken: Cancellation));

    private static ActionWorker<Numbers> TwoSteps(World world) => new(async (context, token) =>
    {
        await context.StepAsync("a", _ => world.DoAsync("a"), token);
        await context.StepAsync("b", _ => world.DoAsync("b"), token);
    });

    private sealed class SharedWorld(World database)
    {
        public World Database => database;
    }

    private sealed class World
    {
        public List<string> Effects { get; } = [];

        public int Crashes { get; set; }

        public int Runs { get; set; }

        public Task DoAsync(string effect)
        {
            lock (Effects)
            {
                Effects.Add(effect);
            }

            return Task.CompletedTask;
        }
    }

    private sealed class Guard(World world) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            world.Effects.Add("dispose");
            return ValueTask.CompletedTask;
        }
    }

    private sealed class FinallyMiddleware : IWorkMiddleware
    {
        public int Finished { get; private set; }

        public async Task InvokeAsync(WorkContext context, WorkDelegate next, CancellationToken cancellationToken)
        {
            try
            {
                await next(context, cancellationToken);
            }
            finally
            {
                Finished++;
            }
        }
    }
}
