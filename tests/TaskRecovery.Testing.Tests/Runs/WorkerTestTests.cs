using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Testing.Tests.Runs;

/// <summary>What one run without a store shows.</summary>
public sealed class WorkerTestTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_entry_of_the_run_is_the_one_of_the_options()
    {
        WorkContext<Numbers>? seen = null;
        var worker = Worker((context, _) =>
        {
            seen = context;
            return Task.CompletedTask;
        });

        var run = await RunAsync(worker, options => options with
        {
            EntryId = 7,
            Fence = 70,
            Kind = "numbers",
            Queue = "urgent",
            Attempt = 2,
            MaxAttempts = 4,
            Crashes = 1,
            Metadata = new Dictionary<string, string> { ["tenant"] = "a" },
            CreatedAt = DateTimeOffset.UnixEpoch,
        });

        run.ShouldComplete();
        Assert.Equal(
            (7L, 70L, "numbers", "urgent", 2, 4, 1, "a", DateTimeOffset.UnixEpoch),
            (seen!.EntryId, seen.Fence, seen.Kind, seen.Queue, seen.Attempt,
                seen.MaxAttempts, seen.Crashes, seen.Metadata["tenant"], seen.CreatedAt));
    }

    [Fact]
    public async Task Arguments_go_through_JSON()
    {
        var given = new Numbers(3);
        Numbers? seen = null;

        await RunAsync(
            Worker((context, _) =>
            {
                seen = context.Args;
                return Task.CompletedTask;
            }),
            args: given);

        Assert.Equal(given, seen);
        Assert.NotSame(given, seen);
    }

    [Fact]
    public async Task Arguments_that_JSON_can_t_keep_are_refused()
        => await Assert.ThrowsAsync<NotSupportedException>(() => WorkerTest.RunAsync(
            new ActionWorker<Stream>((_, _) => Task.CompletedTask), Stream.Null, cancellationToken: Cancellation));

    [Fact]
    public async Task A_result_is_read_back()
    {
        var run = await RunAsync(Worker((context, _) =>
        {
            context.SetResult(new Numbers(4, 2));
            return Task.CompletedTask;
        }));

        Assert.Equal(new Numbers(4, 2), run.ShouldComplete().Result<Numbers>());
        Assert.Equal("""{"first":4,"count":2}""", run.ResultJson);
    }

    [Fact]
    public async Task A_missing_result_is_a_failure_that_says_so()
    {
        var run = await RunAsync(Worker((_, _) => Task.CompletedTask));

        Assert.Contains("set none", Assert.Throws<TestFailedException>(() => run.Result<int>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_attempt_is_retried_after_the_worker_s_own_delay()
    {
        var worker = new ActionWorker<Numbers>((_, _) => throw new InvalidOperationException("down"))
        {
            NextRetry = (context, _)
            => TimeSpan.FromMinutes(context.Attempt)
        };

        var run = await RunAsync(worker, options => options with { Attempt = 2 });

        run.ShouldRetry(after: TimeSpan.FromMinutes(2));
        Assert.Equal("down", run.Exception!.Message);
    }

    [Fact]
    public async Task A_snooze_a_cancellation_and_a_failure_of_the_worker_s_own_are_told_apart()
    {
        (await RunAsync(Ends(context => context.Snooze(TimeSpan.FromMinutes(5))))).ShouldSnooze(TimeSpan.FromMinutes(5));
        var cancelled = (await RunAsync(Ends(context => context.Cancel(why: "obsolete")))).ShouldCancel(EndReasons.CancelledByWorker);
        var failed = (await RunAsync(Ends(context => context.Fail(error: "no customer")))).ShouldFail(EndReasons.FailedForGood);

        Assert.Equal(("obsolete", "no customer"), (cancelled.Error, failed.Error));
    }

    [Fact]
    public async Task A_failed_expectation_shows_the_error_and_the_steps()
    {
        var run = await RunAsync(Worker(async (context, token) =>
        {
            await context.StepAsync("render", _ => Task.FromResult("<p>"), token);
            throw new InvalidOperationException("no server");
        }));

        var failed = Assert.Throws<TestFailedException>(() => run.ShouldComplete());

        Assert.StartsWith(
            "The run of 'Numbers' was expected to complete, but it is retried after ", failed.Message, StringComparison.Ordinal);
        Assert.Contains("no server", failed.Message, StringComparison.Ordinal);
        Assert.Contains("render: ran \"\\u003Cp\\u003E\"", failed.Message, StringComparison.Ordinal);
        Assert.Same(run.Exception, failed.InnerException);
    }

    [Fact]
    public async Task Another_reason_than_the_expected_one_is_shown()
    {
        var run = await RunAsync(Ends(context => context.Fail("no")));

        Assert.Contains("'failed_for_good'", Assert.Throws<TestFailedException>(
            () => run.ShouldFail(EndReasons.AttemptsExhausted)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_used_twice_fails_the_run_and_names_the_step()
    {
        var run = await RunAsync(Worker(async (context, token) =>
        {
            await context.StepAsync("send", _ => Task.CompletedTask, token);
            await context.StepAsync("send", _ => Task.CompletedTask, token);
        }));

        Assert.Contains("'send' was used before", run.ShouldRetry().Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_is_stored_and_read()
    {
        var run = await RunAsync(
            Worker(async (context, token) =>
            {
                var from = await context.GetCheckpointAsync<int>(token);
                await context.SaveCheckpointAsync(from + 1, token);
            }),
            options => options with { Checkpoint = 40 });

        Assert.Equal(41, run.Checkpoint<int>());
        Assert.Contains(Place.AfterCheckpoint(), run.Places);
    }

    [Theory]
    [InlineData(StopReason.Shutdown, RunEnd.Released)]
    [InlineData(StopReason.Cancelled, RunEnd.Cancelled)]
    [InlineData(StopReason.TimedOut, RunEnd.Retried)]
    [InlineData(StopReason.ClaimLost, RunEnd.ClaimLost)]
    public async Task A_run_is_cancelled_at_a_place(StopReason reason, RunEnd end)
    {
        var seen = StopReason.None;
        var worker = Worker(async (context, token) => await context.StepAsync(
            "wait",
            inner =>
            {
                seen = context.StopReason;
                inner.ThrowIfCancellationRequested();
                return Task.CompletedTask;
            },
            token));

        var run = await RunAsync(worker, options => options.Cancel(reason, at: Place.InStep("wait")));

        Assert.Equal(reason, seen);
        Assert.Equal((end, reason), (run.End, run.StopReason));
    }

    /// <summary>As docs/getting-started.md says.</summary>
    [Theory]
    [InlineData(StopReason.TimedOut, true, RunEnd.Retried)]
    [InlineData(StopReason.TimedOut, false, RunEnd.Completed)]
    [InlineData(StopReason.Shutdown, true, RunEnd.Released)]
    [InlineData(StopReason.Shutdown, false, RunEnd.Completed)]
    [InlineData(StopReason.Cancelled, true, RunEnd.Cancelled)]
    [InlineData(StopReason.Cancelled, false, RunEnd.Completed)]
    public async Task A_loop_that_ends_when_its_token_is_cancelled_has_done_its_work_unless_it_throws(
        StopReason reason, bool throws, RunEnd end)
    {
        var worker = Worker(async (context, cancellationToken) =>
        {
            for (var page = 0; throws || !cancellationToken.IsCancellationRequested; page++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await context.StepAsync($"page {page}", _ => Task.CompletedTask, CancellationToken.None);
            }
        });

        var run = await RunAsync(worker, options => options.Cancel(reason, at: Place.AfterStep("page 1")));

        Assert.Equal((end, reason), (run.End, run.StopReason));
    }

    [Fact]
    public async Task A_stop_at_a_place_that_the_run_does_not_reach_is_a_failure_that_names_the_places()
    {
        var worker = Worker(async (context, token) => await context.StepAsync("send", _ => Task.CompletedTask, token));

        var ofCancel = await Assert.ThrowsAsync<TestFailedException>(
            () => RunAsync(worker, options => options.Cancel(StopReason.Shutdown, at: Place.InStep("sned"))));
        var ofShutdown = await Assert.ThrowsAsync<TestFailedException>(
            () => RunAsync(worker, options => options.BeginShutdown(at: Place.AfterCheckpoint())));

        Assert.StartsWith(
            "The run of 'Numbers' did not reach the place 'in step 'sned'', so it was not stopped there: it completed. It reached: "
            + "at the start of the handler; in step 'send'; ", ofCancel.Message, StringComparison.Ordinal);
        Assert.Contains("'after checkpoint 1'", ofShutdown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_the_claim_is_lost_nothing_is_stored()
    {
        var run = await RunAsync(
            Worker(async (context, token) => await context.StepAsync("send", _ => Task.CompletedTask, token)),
            options => options.Cancel(StopReason.ClaimLost, at: Place.AtEndOfStep("send")));

        run.ShouldLoseClaim();
        Assert.False(run.Steps.Single().IsStored);
        Assert.IsType<ClaimLostException>(run.Exception);
    }

    [Fact]
    public async Task When_the_host_begins_to_stop_the_next_checkpoint_ends_the_run()
    {
        var run = await RunAsync(
            Worker(async (context, token) =>
            {
                for (var i = 1; i <= 10; i++)
                {
                    await context.SaveCheckpointAsync(i, token);
                }
            }),
            options => options.BeginShutdown(at: Place.AfterCheckpoint(2)));

        run.ShouldRelease();
        Assert.Equal(2, run.Checkpoint<int>());
    }

    [Theory]
    [InlineData(false, RunEnd.Completed)]
    [InlineData(true, RunEnd.Released)]
    public async Task When_the_host_begins_to_stop_a_handler_that_throws_is_released_and_one_that_returns_has_completed(
        bool throws, RunEnd end)
    {
        var worker = Worker((context, _) =>
        {
            if (throws)
            {
                context.Stopping.ThrowIfCancellationRequested();
            }

            return Task.CompletedTask;
        });

        var run = await RunAsync(worker, options => options.BeginShutdown(at: Place.Start) with { MaxAttempts = 1 });

        Assert.Equal((end, StopReason.None), (run.End, run.StopReason));
    }

    [Fact]
    public async Task A_run_without_a_reason_can_t_be_cancelled()
        => await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => RunAsync(Ends(_ => { }), options => options.Cancel(StopReason.None, Place.Start)));

    [Fact]
    public async Task Middleware_runs_around_the_worker_in_order()
    {
        var calls = new List<string>();

        await RunAsync(
            Ends(_ => calls.Add("worker")),
            options => options with { Middleware = [new RecordingMiddleware("outer", calls), new RecordingMiddleware("inner", calls)] });

        Assert.Equal(["outer", "inner", "worker"], calls);
    }

    [Fact]
    public async Task Services_come_from_a_scope_of_the_run()
    {
        await using var services = new ServiceCollection().AddScoped<Scoped>().BuildServiceProvider();
        Scoped? scoped = null;

        await RunAsync(
            Ends(context => scoped = context.Services.GetRequiredService<Scoped>()), options => options with { Services = services });

        Assert.True(scoped!.IsDisposed);
    }

    [Theory]
    [InlineData(TransactionResult.Commits, RunEnd.Completed)]
    [InlineData(TransactionResult.RollsBack, RunEnd.Retried)]
    [InlineData(TransactionResult.ClaimLost, RunEnd.ClaimLost)]
    public async Task A_worker_completes_in_its_own_transaction(TransactionResult result, RunEnd end)
    {
        await using var connection = new SqliteConnection("Data Source=:memory:");
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        var run = await RunAsync(
            Worker(async (context, token) =>
            {
                await context.CompleteAsync(transaction, token);
                await transaction.CommitAsync(token);
            }),
            options => options with { Transaction = result });

        Assert.Equal(end, run.End);
        Assert.Same(transaction, (DbTransaction?)run.CompletedIn);
    }

    [Fact]
    public async Task A_transaction_that_is_open_when_the_worker_returns_was_not_committed()
    {
        await using var connection = new SqliteConnection("Data Source=:memory:");
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        var run = await RunAsync(Worker((context, token) => context.CompleteAsync(transaction, token)));

        run.ShouldRetry();
        Assert.Contains("the transaction it passed was not committed", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(3, 2)]
    public async Task Attempts_out_of_range_are_refused(int attempt, int maxAttempts)
        => Assert.Contains(
            $"is {maxAttempts}",
            (await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
                () => RunAsync(Ends(_ => { }), options => options with { Attempt = attempt, MaxAttempts = maxAttempts }))).Message,
            StringComparison.Ordinal);

    [Fact]
    public async Task The_test_s_token_ends_the_wait_for_a_worker_that_hangs()
    {
        using var source = new CancellationTokenSource();
        var worker = Worker(async (_, token) =>
        {
            await source.CancelAsync();
            await new TaskCompletionSource().Task.WaitAsync(token);
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => WorkerTest.RunAsync(worker, new Numbers(1), cancellationToken: source.Token));
    }

    private static Task<TestRun> RunAsync(
        IJobWorker<Numbers> worker, Func<WorkerTestOptions, WorkerTestOptions>? configure = null, Numbers? args = null)
        => WorkerTest.RunAsync(worker, args ?? new Numbers(1), configure, Cancellation);

    private static ActionWorker<Numbers> Worker(Func<WorkContext<Numbers>, CancellationToken, Task> work) => new(work);

    private static ActionWorker<Numbers> Ends(Action<WorkContext<Numbers>> work) => new((context, _) =>
    {
        work(context);
        return Task.CompletedTask;
    });

    private sealed class RecordingMiddleware(string name, List<string> calls) : IWorkMiddleware
    {
        public Task InvokeAsync(WorkContext context, WorkDelegate next, CancellationToken cancellationToken)
        {
            calls.Add(name);
            return next(context, cancellationToken);
        }
    }

    private sealed class Scoped : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
