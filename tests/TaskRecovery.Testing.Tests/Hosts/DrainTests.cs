using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>What a drain runs, when it is over and when it fails.</summary>
public sealed class DrainTests
{
    private readonly List<int> _seen = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_runs_before_the_drain()
    {
        await using var application = await StartAsync((context, _) => See(context));
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        Assert.Empty(_seen);
        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal([1], _seen);
        Assert.Equal(
            ("numbers", "default", 1, 10, RunEnd.Completed),
            (drained.Runs[0].Kind, drained.Runs[0].Queue, drained.Runs[0].Attempt, drained.Runs[0].MaxAttempts, drained.Runs[0].End));
        Assert.Equal("""{"first":1,"count":1}""", drained.Runs[0].Args);
    }

    [Fact]
    public async Task A_drain_runs_what_its_entries_enqueue_but_not_what_is_due_later()
    {
        TestApplication? own = null;
        await using var application = own = await StartAsync(async (context, token) =>
        {
            await See(context);
            if (context.Args.First < 3)
            {
                await own!.Queue.EnqueueAsync(new Numbers(context.Args.First + 1), cancellationToken: token);
                await own.Queue.EnqueueAsync(new Numbers(100), new EnqueueOptions { RunAfter = TimeSpan.FromMilliseconds(1) }, token);
            }
        });
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal([1, 2, 3], _seen);
        Assert.Equal(3, drained.Runs.Count);
        Assert.Equal(2, (await application.Queue.CountAsync(cancellationToken: Cancellation)).Later.Value);
    }

    [Fact]
    public async Task Priorities_count()
    {
        await using var application = await StartAsync((context, _) => See(context));
        await application.Queue.EnqueueAsync(new Numbers(2), cancellationToken: Cancellation);
        await application.Queue.EnqueueAsync(new Numbers(1), new EnqueueOptions { Priority = 0 }, Cancellation);

        await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal([1, 2], _seen);
    }

    [Fact]
    public async Task A_failed_attempt_fails_the_drain_which_names_everything()
    {
        await using var application = await StartAsync((_, _) => throw new InvalidOperationException("no server"));
        await application.Queue.EnqueueAsync(new Numbers(7), cancellationToken: Cancellation);

        var failed = await Assert.ThrowsAsync<DrainException>(() => application.Test.DrainAsync(cancellationToken: Cancellation));

        Assert.Contains("1 of 1 runs failed", failed.Message, StringComparison.Ordinal);
        Assert.Contains("entry 1, kind numbers, attempt 1 of 10: Retried: "
            + "InvalidOperationException: no server", failed.Message, StringComparison.Ordinal);
        Assert.Contains("""args: {"first":7,"count":1}""", failed.Message, StringComparison.Ordinal);
        Assert.Equal("no server", Assert.IsType<InvalidOperationException>(failed.InnerException).Message);
        Assert.Equal(RunEnd.Retried, Assert.Single(failed.Failures).End);
    }

    [Fact]
    public async Task Failures_can_be_allowed()
    {
        await using var application = await StartAsync((_, _) => throw new InvalidOperationException("no server"));
        await application.Queue.EnqueueAsync(new Numbers(7), cancellationToken: Cancellation);

        var drained = await application.Test.DrainAsync(new DrainOptions { AllowFailures = true }, Cancellation);

        Assert.Single(drained.Failures);
        Assert.True(drained.Runs[0].NextRunAt > application.Test.Now);
    }

    [Fact]
    public async Task Retries_can_be_included_until_they_succeed_or_no_attempt_is_left()
    {
        await using var application = await StartAsync(
            (context, _) => context.Attempt < context.Args.First ? throw new InvalidOperationException("not yet") : See(context));
        await application.Queue.EnqueueAsync(new Numbers(3), cancellationToken: Cancellation);
        var before = application.Test.Now;

        var drained = await application.Test.DrainAsync(new DrainOptions { IncludeRetries = true }, Cancellation);

        Assert.Equal([RunEnd.Retried, RunEnd.Retried, RunEnd.Completed], drained.Runs.Select(run => run.End));
        Assert.InRange(application.Test.Now - before, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4));

        await application.Queue.EnqueueAsync(new Numbers(3), new EnqueueOptions { MaxAttempts = 2 }, Cancellation);
        var failed = await Assert.ThrowsAsync<DrainException>(
            () => application.Test.DrainAsync(new DrainOptions { IncludeRetries = true }, Cancellation));
        Assert.Equal(EndReasons.AttemptsExhausted, Assert.Single(failed.Failures).Reason);
    }

    [Fact]
    public async Task An_error_of_a_store_fails_the_drain_although_it_spends_no_attempt()
    {
        var isDown = true;
        await using var application = await StartAsync(
            (context, _) => isDown ? throw new StoreUnavailableException("no connection") : See(context));
        await application.Queue.EnqueueAsync(new Numbers(7), cancellationToken: Cancellation);

        var failed = await Assert.ThrowsAsync<DrainException>(() => application.Test.DrainAsync(cancellationToken: Cancellation));
        isDown = false;
        await application.Test.AdvanceAsync(TimeSpan.FromMinutes(1), cancellationToken: Cancellation);

        Assert.Equal((RunEnd.Released, 1), (failed.Failures.Single().End, failed.Failures.Single().Attempt));
        Assert.Equal("no connection", Assert.IsType<StoreUnavailableException>(failed.InnerException).Message);
        Assert.Equal([7], _seen);
    }

    [Fact]
    public async Task A_run_that_an_error_of_a_store_has_ended_is_repeated_with_the_retries()
    {
        var errors = 0;
        await using var application = await StartAsync(
            (context, _) => ++errors <= 2 ? throw new StoreUnavailableException("no connection") : See(context));
        await application.Queue.EnqueueAsync(new Numbers(7), cancellationToken: Cancellation);

        var drained = await application.Test.DrainAsync(new DrainOptions { IncludeRetries = true }, Cancellation);

        Assert.Equal([RunEnd.Released, RunEnd.Released, RunEnd.Completed], drained.Runs.Select(run => run.End));
        Assert.Equal(2, drained.Failures.Count());
    }

    [Theory]
    [InlineData(RunEnd.Released, StopReason.Shutdown, true, false)]
    [InlineData(RunEnd.Released, StopReason.None, false, false)]
    [InlineData(RunEnd.Released, StopReason.None, true, true)]
    [InlineData(RunEnd.ClaimLost, StopReason.None, true, true)]
    [InlineData(RunEnd.ClaimLost, StopReason.ClaimLost, false, true)]
    [InlineData(RunEnd.Cancelled, StopReason.Cancelled, true, false)]
    [InlineData(RunEnd.Snoozed, StopReason.None, false, false)]
    public void A_run_fails_if_its_work_was_not_done_and_nothing_had_stopped_it(RunEnd end, StopReason reason, bool throws, bool fails)
    {
        var run = new DrainedRun
        {
            EntryId = 1,
            Kind = "numbers",
            Queue = "default",
            Attempt = 1,
            MaxAttempts = 10,
            End = end,
            Args = "{}",
            StopReason = reason,
            Exception = throws ? new InvalidOperationException() : null,
        };

        Assert.Equal(fails, new DrainResult([run]).Failures.Any());
    }

    [Fact]
    public async Task A_retry_that_does_not_become_due_fails_the_drain_and_moves_no_time()
    {
        TestApplication? own = null;
        await using var application = own = await StartAsync(
            async (_, token) =>
            {
                await own!.Queue.PauseAsync("default", token);
                throw new InvalidOperationException("no server");
            },
            builder => builder.AddQueue("slow"));
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);
        await application.Queue.EnqueueAsync(
            new Numbers(2), new EnqueueOptions { Queue = "slow", RunAfter = TimeSpan.FromDays(1) }, Cancellation);
        var before = application.Test.Now;

        var failed = await Assert.ThrowsAsync<DrainException>(
            () => application.Test.DrainAsync(new DrainOptions { IncludeRetries = true }, Cancellation));

        Assert.Equal(RunEnd.Retried, Assert.Single(failed.Failures).End);
        Assert.Equal(before, application.Test.Now);
    }

    [Fact]
    public async Task A_kind_that_enqueues_itself_is_endless()
    {
        TestApplication? own = null;
        await using var application = own = await StartAsync(
            async (context, token) => await own!.Queue.EnqueueAsync(context.Args, cancellationToken: token));
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        var failed = await Assert.ThrowsAsync<DrainException>(
            () => application.Test.DrainAsync(new DrainOptions { Limit = 20 }, Cancellation));

        Assert.Contains("The drain is endless: it has run more than 20 entries", failed.Message, StringComparison.Ordinal);
        Assert.Contains("Kind 'numbers' enqueues itself", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drain_can_be_limited_to_queues_and_kinds()
    {
        await using var application = await StartAsync((context, _) => See(context), register: builder => builder.AddQueue("slow"));
        await application.Queue.EnqueueAsync(new Numbers(1), new EnqueueOptions { Queue = "slow" }, Cancellation);
        await application.Queue.EnqueueAsync(new Numbers(2), cancellationToken: Cancellation);

        await application.Test.DrainAsync(new DrainOptions { Queues = ["slow"], Kinds = ["numbers"] }, Cancellation);
        Assert.Equal([1], _seen);

        await application.Test.DrainAsync(cancellationToken: Cancellation);
        Assert.Equal([1, 2], _seen);
    }

    [Fact]
    public async Task A_queue_that_is_not_served_is_refused_with_those_that_are()
    {
        await using var application = await StartAsync((context, _) => See(context));

        var error = await Assert.ThrowsAsync<ArgumentException>(
            () => application.Test.DrainAsync(new DrainOptions { Queues = ["slow"] }, Cancellation));

        Assert.Contains("names 'slow', but the application serves the queues default", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_two_executors_a_run_can_wait_for_an_entry_that_it_enqueues()
    {
        var second = new TaskCompletionSource();
        TestApplication? own = null;
        await using var application = own = await StartAsync(async (context, token) =>
        {
            if (context.Args.First == 1)
            {
                await own!.Queue.EnqueueAsync(new Numbers(2), cancellationToken: token);
                await second.Task.WaitAsync(token);
            }
            else
            {
                second.SetResult();
            }
        });
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        var drained = await application.Test.DrainAsync(new DrainOptions { Concurrency = 2 }, Cancellation);

        Assert.Equal(2, drained.Runs.Count);
    }

    [Fact]
    public async Task An_entry_can_be_cancelled_while_it_runs()
    {
        var started = new TaskCompletionSource();
        await using var application = await StartAsync(async (_, token) =>
        {
            started.SetResult();
            await new TaskCompletionSource().Task.WaitAsync(token);
        });
        var (id, _) = await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);

        var drain = application.Test.DrainAsync(cancellationToken: Cancellation);
        await started.Task.WaitAsync(Cancellation);
        await application.Queue.CancelAsync(id, Cancellation);

        Assert.Equal(RunEnd.Cancelled, (await drain).Runs.Single().End);
    }

    [Fact]
    public async Task A_paused_queue_is_not_drained()
    {
        await using var application = await StartAsync((context, _) => See(context));
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);
        await application.Queue.PauseAsync("default", Cancellation);

        Assert.Equal("Nothing was due.", (await application.Test.DrainAsync(cancellationToken: Cancellation)).ToString());

        await application.Queue.ResumeAsync("default", Cancellation);
        await application.Test.DrainAsync(cancellationToken: Cancellation);
        Assert.Equal([1], _seen);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public async Task Options_out_of_range_are_refused(int concurrency, int limit)
    {
        await using var application = await StartAsync((context, _) => See(context));

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => application.Test.DrainAsync(new DrainOptions { Concurrency = concurrency, Limit = limit }, Cancellation));
    }

    private static Task<TestApplication> StartAsync(
        Func<WorkContext<Numbers>, CancellationToken, Task> work, Action<TaskRecoveryBuilder>? register = null)
        => TestApplication.StartAsync(work, register: register);

    private Task See(WorkContext<Numbers> context)
    {
        _seen.Add(context.Args.First);
        return Task.CompletedTask;
    }
}
