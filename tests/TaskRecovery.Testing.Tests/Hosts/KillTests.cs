using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>What happens after a node was killed or restarted.</summary>
public sealed class KillTests
{
    private readonly List<string> _effects = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_next_drain_recovers_from_the_step_that_was_reached()
    {
        await using var application = await StartAsync();
        var (id, _) = await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        await application.Test.KillNodeAsync(at: Place.AfterStep("render"), cancellationToken: Cancellation);
        Assert.Equal(EntryState.Running, (await application.Queue.FindAsync(id, Cancellation))!.State);
        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(["render", "send after 1 crashes"], _effects);
        Assert.Equal(RunEnd.Completed, drained.Runs.Single().End);
        Assert.Equal(EntryState.Completed, (await application.Queue.FindAsync(id, Cancellation))!.State);
    }

    [Fact]
    public async Task At_the_end_of_a_step_its_effect_happens_twice()
    {
        await using var application = await StartAsync();
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        await application.Test.KillNodeAsync(at: Place.AtEndOfStep("render"), cancellationToken: Cancellation);
        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(["render", "render", "send after 1 crashes"], _effects);
    }

    [Fact]
    public async Task A_kill_runs_no_finally()
    {
        await using var application = await StartAsync(async (context, token) =>
        {
            try
            {
                await context.StepAsync("one", _ => Task.CompletedTask, token);
            }
            finally
            {
                _effects.Add($"finally after {context.Crashes} crashes");
            }
        });
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        await application.Test.KillNodeAsync(at: Place.AfterStep("one"), cancellationToken: Cancellation);
        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(["finally after 1 crashes"], _effects);
    }

    [Fact]
    public async Task A_place_that_no_run_reaches_is_a_failure_that_names_the_places()
    {
        await using var application = await StartAsync();
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        var failed = await Assert.ThrowsAsync<TestFailedException>(
            () => application.Test.KillNodeAsync(at: Place.AfterStep("rendr"), cancellationToken: Cancellation));

        Assert.StartsWith(
            "No run reached the place 'after step 'rendr'', so no node was killed. The runs reached: at the start of the handler; "
            + "in step 'render'", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_run_that_reached_the_place_is_returned_and_may_be_one_of_a_chosen_kind()
    {
        await using var application = await StartAsync(register: builder =>
        {
            builder.Services.AddSingleton(new ActionWorker<Report>(
                async (context, token) => await context.StepAsync("send", _ => DoAsync("report"), token)));
            builder.AddWorker<Report, ActionWorker<Report>>();
        });
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);
        var (id, _) = await application.Queue.EnqueueAsync(new Report("x"), cancellationToken: Cancellation);

        var killed = await application.Test.KillNodeAsync(
            at: Place.AfterStep("send"), new DrainOptions { Kinds = ["report"] }, Cancellation);
        Assert.Equal(["report"], _effects);
        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(new KilledRun { EntryId = id, Kind = "report", Queue = "default", Attempt = 1 }, killed);
        Assert.Equal(["report", "render", "send after 0 crashes"], _effects);
    }

    [Fact]
    public async Task A_run_that_failed_before_the_kill_is_a_failure_unless_it_is_allowed()
    {
        await using var application = await StartAsync(async (context, token) =>
        {
            if (context.Args.First == 1)
            {
                throw new InvalidOperationException("no server");
            }

            await context.StepAsync("send", _ => DoAsync($"send after {context.Crashes} crashes"), token);
        });
        await EnqueueOneThatFailsAndOneThatSendsAsync(application);
        var failed = await Assert.ThrowsAsync<DrainException>(
            () => application.Test.KillNodeAsync(at: Place.InStep("send"), cancellationToken: Cancellation));
        await application.Test.DrainAsync(cancellationToken: Cancellation);

        await EnqueueOneThatFailsAndOneThatSendsAsync(application);
        var killed = await application.Test.KillNodeAsync(
            at: Place.InStep("send"), new DrainOptions { AllowFailures = true }, Cancellation);
        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal("no server", failed.InnerException!.Message);
        Assert.Equal(4, killed!.EntryId);
        Assert.Equal(["send after 1 crashes", "send after 1 crashes"], _effects);
    }

    [Fact]
    public async Task A_failure_that_keeps_the_runs_from_the_place_is_shown()
    {
        await using var application = await StartAsync((_, _) => throw new InvalidOperationException("no server"));
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        var failed = await Assert.ThrowsAsync<TestFailedException>(
            () => application.Test.KillNodeAsync(at: Place.InStep("send"), cancellationToken: Cancellation));

        Assert.Contains("1 of them failed, the first one as:\n  entry 1, kind numbers", failed.Message, StringComparison.Ordinal);
        Assert.Equal("no server", failed.InnerException!.Message);
    }

    [Fact]
    public async Task An_idle_node_can_be_killed_and_restarted()
    {
        await using var application = await StartAsync();

        Assert.Null(await application.Test.KillNodeAsync(cancellationToken: Cancellation));
        await application.Test.RestartAsync(Cancellation);
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);
        await application.Test.RestartAsync(Cancellation);
        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(["render", "send after 0 crashes"], _effects);
    }

    [Fact]
    public async Task An_entry_that_keeps_killing_its_node_ends_as_crash_loop()
    {
        await using var application = await StartAsync();
        var (id, _) = await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        for (var crash = 0; crash < 4; crash++)
        {
            await application.Test.KillNodeAsync(at: Place.Start, cancellationToken: Cancellation);
        }

        Assert.Empty((await application.Test.DrainAsync(cancellationToken: Cancellation)).Runs);
        Assert.Equal(EndReasons.CrashLoop, (await application.Queue.FindAsync(id, Cancellation))!.Reason);
    }

    [Fact]
    public async Task A_killed_task_runs_again_with_its_steps()
    {
        await using var application = await StartAsync(register: builder =>
        {
            builder.Services.AddSingleton(new ActionHandler<Report>(async (context, token) =>
            {
                await context.StepAsync("collect", _ => Task.Run(() => _effects.Add("collect"), CancellationToken.None), token);
                _effects.Add($"{context.JobName} after {context.Crashes} crashes");
            }));
            builder.AddTaskHandler<Report, ActionHandler<Report>>().AddIntervalJob("nightly", TimeSpan.FromDays(1), new Report("x"));
        });

        await application.Test.KillNodeAsync(at: Place.AfterStep("collect"), cancellationToken: Cancellation);
        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(["collect", "nightly after 1 crashes"], _effects);
    }

    [Fact]
    public async Task A_kill_takes_the_other_runs_of_the_node_along()
    {
        var both = new TaskCompletionSource();
        var started = 0;
        await using var application = await StartAsync(async (context, token) =>
        {
            if (context.Crashes == 0 && Interlocked.Increment(ref started) == 1)
            {
                both.SetResult();
            }

            await both.Task.WaitAsync(token);
            await context.StepAsync("one", _ => Task.CompletedTask, token);
        });
        var first = await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);
        await application.Queue.EnqueueAsync(new Numbers(2), cancellationToken: Cancellation);

        await application.Test.KillNodeAsync(at: Place.InStep("one"), cancellationToken: Cancellation);
        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(2, drained.Runs.Count);
        Assert.Equal(1, (await application.Queue.FindAsync(first.Id, Cancellation))!.Crashes);
    }

    [Fact]
    public async Task In_the_background_no_node_can_be_killed()
    {
        await using var application = await StartAsync(configure: options => options.Running = TestRunning.Automatic);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => application.Test.KillNodeAsync(cancellationToken: Cancellation));

        Assert.Contains("Running = TestRunning.Manual", error.Message, StringComparison.Ordinal);
    }

    private Task<TestApplication> StartAsync(
        Func<WorkContext<Numbers>, CancellationToken, Task>? work = null,
        Action<TaskRecoveryBuilder>? register = null, Action<TaskRecoveryTestingOptions>? configure = null)
        => TestApplication.StartAsync(
            work ?? (async (context, token) =>
            {
                await context.StepAsync("render", _ => DoAsync("render"), token);
                await context.StepAsync("send", _ => DoAsync($"send after {context.Crashes} crashes"), token);
            }),
            configure,
            register);

    private static async Task EnqueueOneThatFailsAndOneThatSendsAsync(TestApplication application)
    {
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);
        await application.Queue.EnqueueAsync(new Numbers(2), cancellationToken: Cancellation);
    }

    private Task DoAsync(string effect)
    {
        _effects.Add(effect);
        return Task.CompletedTask;
    }

    [JobKind("report")]
    private sealed record Report(string Name);
}
