using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>How a run can end.</summary>
public sealed class OutcomeTests
{
    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Fact]
    public async Task An_enqueued_entry_runs_and_completes_with_its_result()
    {
        _work.Do = (context, _) =>
        {
            context.SetResult(context.Args.Number * 2);
            return Task.CompletedTask;
        };
        await using var host = await StartAsync();

        var (id, isDuplicate) = await host.Queue.EnqueueAsync(new TestArgs(21));
        await _store.UntilEnded(id);

        Assert.False(isDuplicate);
        Assert.Equal(OutcomeKind.Completed, _store.Entry(id).Last.Kind);
        Assert.Equal("42", _store.Entry(id).Result);
    }

    [Fact]
    public async Task A_failed_attempt_is_retried_until_it_succeeds()
    {
        _work.Do = (context, _) => context.Attempt < 3 ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Retried, OutcomeKind.Retried, OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Contains("not yet", _store.Entry(id).Outcomes[0].Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_whose_attempts_are_used_up_ends_as_failed()
    {
        _work.Do = (_, _) => throw new InvalidOperationException("never");
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 2 });
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Retried, OutcomeKind.Failed], _store.Entry(id).Kinds);
        Assert.Equal(EndReasons.AttemptsExhausted, _store.Entry(id).Last.Reason);
    }

    [Fact]
    public async Task The_worker_s_own_wait_before_the_next_attempt_is_used()
    {
        _work.Do = (_, _) => throw new InvalidOperationException("again");
        _work.NextRetry = (context, exception) => exception.Message == "again" ? TimeSpan.FromHours(context.Attempt) : null;
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.Until(store => store.Entry(id).Outcomes.Count == 1);

        Assert.Equal(TimeSpan.FromHours(1), _store.Entry(id).Last.Delay);
    }

    [Fact]
    public async Task A_snoozed_entry_runs_again_without_spending_an_attempt()
    {
        var attempts = new List<int>();
        _work.Do = (context, _) =>
        {
            attempts.Add(context.Attempt);
            if (attempts.Count == 1)
            {
                context.Snooze(TimeSpan.FromMilliseconds(1));
            }

            return Task.CompletedTask;
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Snoozed, OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Equal([1, 1], attempts);
    }

    [Fact]
    public async Task A_worker_can_cancel_and_fail_its_entry()
    {
        _work.Do = (context, _) =>
        {
            if (context.Args.Number == 1)
            {
                context.Cancel("not wanted");
            }
            else
            {
                context.Fail("no use");
            }

            return Task.CompletedTask;
        };
        await using var host = await StartAsync();

        var cancelled = (await host.Queue.EnqueueAsync(new TestArgs(1))).Id;
        var failed = (await host.Queue.EnqueueAsync(new TestArgs(2))).Id;
        await _store.UntilEnded(cancelled, failed);

        var (first, second) = (_store.Entry(cancelled).Last, _store.Entry(failed).Last);
        Assert.Equal((OutcomeKind.Cancelled, EndReasons.CancelledByWorker, "not wanted"), (first.Kind, first.Reason, first.Error));
        Assert.Equal((OutcomeKind.Failed, EndReasons.FailedForGood, "no use"), (second.Kind, second.Reason, second.Error));
    }

    [Fact]
    public async Task Arguments_that_can_t_be_read_are_tried_again_and_fail_with_the_place_when_the_attempts_are_out()
    {
        await using var host = await StartAsync();

        var id = _store.Add("test.work", """{"number":"many"}""", entry => entry.Stored = entry.Stored with { MaxAttempts = 2 });
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Retried, OutcomeKind.Failed], _store.Entry(id).Kinds);
        Assert.Equal(EndReasons.InvalidArgs, _store.Entry(id).Last.Reason);
        Assert.Contains("$.number", _store.Entry(id).Last.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attempt_over_its_time_limit_is_cancelled_and_counts_as_failed()
    {
        var reason = StopReason.None;
        _work.Do = async (context, cancellationToken) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                reason = context.StopReason;
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(
            new TestArgs(), new EnqueueOptions { Timeout = TimeSpan.FromMilliseconds(20), MaxAttempts = 1 });
        await _store.UntilEnded(id);

        Assert.Equal(StopReason.TimedOut, reason);
        Assert.Equal((OutcomeKind.Failed, EndReasons.AttemptsExhausted), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Reason));
        Assert.Contains("time limit", _store.Entry(id).Last.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancel_request_cancels_the_token_of_a_running_entry()
    {
        var started = new TaskCompletionSource();
        _work.Do = (_, cancellationToken) =>
        {
            started.TrySetResult();
            return Task.Delay(Timeout.Infinite, cancellationToken);
        };
        await using var host = await StartAsync();
        var counted = new TaskCompletionSource<bool>();
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<double>(
            (instrument, _, tags, _) => counted.TrySetResult(tags.ToArray().Any(static tag => tag.Key == "error.type")));
        listener.EnableMeasurementEvents(
            Assert.Single(host.Instruments, instrument => instrument.Name == TaskRecoveryDiagnostics.RunDuration));

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;
        await host.Queue.CancelAsync(id);
        await _store.UntilEnded(id);

        Assert.Equal((OutcomeKind.Cancelled, EndReasons.CancelRequested), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Reason));
        Assert.False(await counted.Task);
    }

    [Fact]
    public async Task An_entry_with_a_cancel_request_is_not_started()
    {
        var runs = 0;
        _work.Do = (_, _) => Task.FromResult(Interlocked.Increment(ref runs));
        var id = _store.Add("test.work", "{}", entry => entry.CancelRequested = true);

        await using var host = await StartAsync();
        await _store.UntilEnded(id);

        Assert.Equal((OutcomeKind.Cancelled, EndReasons.CancelRequested), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Reason));
        Assert.Equal(0, runs);
    }

    [Fact]
    public async Task An_entry_that_has_expired_is_not_started()
    {
        var runs = 0;
        _work.Do = (_, _) => Task.FromResult(Interlocked.Increment(ref runs));
        var id = _store.Add("test.work", "{}", entry => entry.StartsWithin = TimeSpan.FromSeconds(-1));

        await using var host = await StartAsync();
        await _store.UntilEnded(id);

        Assert.Equal((OutcomeKind.Cancelled, EndReasons.Expired), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Reason));
        Assert.Equal(0, runs);
    }

    [Theory]
    [InlineData(3600, 0, 0)] // in time
    [InlineData(-1, 1, 0)] // a retry
    [InlineData(-1, 0, 1)] // a recovery
    public async Task An_entry_that_is_in_time_or_has_started_before_runs(int within, int attempts, int crashes)
    {
        var id = _store.Add(
            "test.work", "{}",
            entry => (entry.StartsWithin, entry.Attempt, entry.Crashes) = (TimeSpan.FromSeconds(within), attempts, crashes));

        await using var host = await StartAsync();
        await _store.UntilEnded(id);

        Assert.Equal(OutcomeKind.Completed, _store.Entry(id).Last.Kind);
    }

    [Fact]
    public async Task A_worker_that_completed_in_a_transaction_that_never_committed_is_tried_again()
    {
        var attempts = 0;
        _work.Do = async (context, cancellationToken) =>
        {
            // The store refuses the first call with an error that the worker swallows, as if it had rolled back.
            _store.OnCall = call
                =>
            { if (call == "finish in transaction" && attempts++ == 0) { throw new StoreUnavailableException("gone"); } };
            try
            {
                await context.CompleteAsync(new FakeTransaction(), cancellationToken);
            }
            catch (StoreUnavailableException)
            {
                // Rolled back.
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Retried, OutcomeKind.Completed], _store.Entry(id).Kinds);
    }

    [Fact]
    public async Task An_open_transaction_of_one_worker_keeps_no_other_outcome_waiting()
    {
        _work.Do = async (context, cancellationToken) =>
        {
            if (context.Attempt == 1)
            {
                _store.OnCall = call => { if (call == "finish in transaction") { throw new StoreUnavailableException("rolled back"); } };
            }

            try
            {
                await context.CompleteAsync(new FakeTransaction(), cancellationToken);
            }
            catch (StoreUnavailableException)
            {
                _store.OnCall = null;
            }
        };
        await using var host = await StartAsync();
        _store.Blocked.Add(1);

        var (open, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.Until(store => store.CallsOf("find blocked") > 0);
        var (other, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(other);

        Assert.Empty(_store.Entry(open).Outcomes);
        _store.Blocked.Clear();
        await _store.UntilEnded(open);
        Assert.Equal([OutcomeKind.Retried, OutcomeKind.Completed], _store.Entry(open).Kinds);
    }

    [Fact]
    public async Task An_open_transaction_does_not_keep_its_loop_failing_when_the_store_is_back()
    {
        _work.Do = (context, cancellationToken) => context.CompleteAsync(new FakeTransaction(), cancellationToken);
        await using var host = await StartAsync();
        var loops = host.Services.GetRequiredService<IFailingLoops>();
        _store.Blocked.Add(1);
        _store.OnCall = static call => { if (call == "find blocked") { throw new StoreUnavailableException("gone"); } };

        await host.Queue.EnqueueAsync(new TestArgs());
        await _store.Until(_ => loops.ListFailing().Any());
        _store.OnCall = null;

        // Nothing is stored meanwhile: the only outcome still waits for its transaction.
        await _store.Until(_ => !loops.ListFailing().Any());
        Assert.Empty(_store.Flushes);
    }

    [Fact]
    public async Task A_handler_that_returns_has_completed_its_entry_although_its_time_was_over()
    {
        _work.Do = async (_, cancellationToken) => await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing);
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { Timeout = TimeSpan.FromMilliseconds(20) });
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Equal(1, host.Log.Count(2010));
    }

    public static TheoryData<string> OddExceptions => [.. OddException.All.Keys];

    [Theory]
    [MemberData(nameof(OddExceptions))]
    public async Task Whatever_an_exception_does_when_it_is_looked_at_its_attempt_is_spent(string odd)
    {
        _work.Do = (_, _) => throw OddException.All[odd]();
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 2 });
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Retried, OutcomeKind.Failed], _store.Entry(id).Kinds);
        Assert.All(_store.Entry(id).Outcomes, outcome => Assert.Contains(nameof(OddException), outcome.Error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_entry_that_can_t_be_run_as_it_was_stored_costs_no_place_and_ends_by_its_attempts()
    {
        await using var host = await StartAsync(concurrency: 1);

        var bad = _store.Add(
            "test.work", "{}", entry => entry.Stored = entry.Stored with { Timeout = TimeSpan.FromMinutes(-1), MaxAttempts = 1 });
        await _store.UntilEnded(bad);
        var good = (await host.Queue.EnqueueAsync(new TestArgs())).Id;
        await _store.UntilEnded(good);

        Assert.Equal([OutcomeKind.Failed], _store.Entry(bad).Kinds);
        Assert.Equal([OutcomeKind.Completed], _store.Entry(good).Kinds);
    }

    [Fact]
    public async Task An_entry_whose_row_can_t_be_read_ends_alone()
    {
        var bad = _store.Add("test.work", "{}", entry => entry.Problem = "timeout is '1 month'");
        var good = _store.Add("test.work", "{}");
        await using var host = await StartAsync();

        await _store.UntilEnded(bad, good);

        Assert.Equal((OutcomeKind.Failed, EndReasons.Unreadable), (_store.Entry(bad).Last.Kind, _store.Entry(bad).Last.Reason));
        Assert.Contains("1 month", _store.Entry(bad).Last.Error, StringComparison.Ordinal);
        Assert.Equal([OutcomeKind.Completed], _store.Entry(good).Kinds);
    }

    [Theory]
    [InlineData("redacts", "*** is not known")]
    [InlineData("returns null", "The error's text was withheld: RedactError returned null.")]
    [InlineData("throws", "The error's text was withheld: RedactError threw System.FormatException.")]
    public async Task The_text_of_an_error_is_redacted_before_it_is_stored(string redactor, string expected)
    {
        _work.Do = (_, _) => throw new InvalidOperationException("Ann is not known");
        await using var host = await StartAsync(configure: options => options.RedactError = error => redactor switch
        {
            "redacts" => error.Replace("Ann", "***", StringComparison.Ordinal),
            "throws" => throw new FormatException("Ann"),
            _ => null!,
        });

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 2 });
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Retried, OutcomeKind.Failed], _store.Entry(id).Kinds);
        Assert.All(_store.Entry(id).Outcomes, outcome => Assert.Contains(expected, outcome.Error, StringComparison.Ordinal));
        Assert.All(_store.Entry(id).Outcomes, outcome => Assert.DoesNotContain("Ann", outcome.Error, StringComparison.Ordinal));
    }

    private Task<WorkHost> StartAsync(int? concurrency = null, Action<TaskRecoveryOptions>? configure = null) => WorkHost.StartAsync(
        _store,
        builder =>
        {
            builder.Services.AddSingleton(_work);
            builder.AddWorker<TestArgs, TestWorker>();
            builder.AddQueue("default", concurrency);
        },
        configure);
}
