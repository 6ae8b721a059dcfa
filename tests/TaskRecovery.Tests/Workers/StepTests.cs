using System.Transactions;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>Steps and checkpoints: what is finished is not done again.</summary>
public sealed class StepTests
{
    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Fact]
    public async Task A_finished_step_is_not_run_again_by_the_next_attempt()
    {
        var runs = new List<string>();
        _work.Do = async (context, cancellationToken) =>
        {
            var first = await context.StepAsync("first", _ =>
            {
                runs.Add("first");
                return Task.FromResult(40);
            }, cancellationToken);
            await context.StepAsync("second", _ =>
            {
                runs.Add("second");
                return context.Attempt == 1 ? throw new InvalidOperationException("in the second step") : Task.CompletedTask;
            }, cancellationToken);
            context.SetResult(first + 2);
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal(["first", "second", "second"], runs);
        Assert.Equal("42", _store.Entry(id).Result);
    }

    /// <summary>A step that waits for its turn when the lease is lost must not be stored after its handler was told so.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_step_can_be_taken_back_where_no_driver_gets_the_token(bool takesBackQueuedWrites)
    {
        _store.Traits = _store.Traits with { TakesBackQueuedWrites = takesBackQueuedWrites };
        _work.Do = (context, cancellationToken) => context.StepAsync("one", _ => Task.CompletedTask, cancellationToken);
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal(takesBackQueuedWrites, _store.StepsCanBeTakenBack);
    }

    /// <summary>It would stay stored although the scope rolls back, or would be lost with it although it was reported as stored.</summary>
    [Theory]
    [InlineData("step")]
    [InlineData("checkpoint")]
    public async Task Inside_a_transaction_scope_progress_is_refused_and_no_step_runs(string call)
    {
        var (hasRun, refused) = (false, (Exception?)null);
        _work.Do = async (context, cancellationToken) =>
        {
            using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
            refused = await Record.ExceptionAsync(()
                => call == "step" ? context.StepAsync("one", Step, cancellationToken) : context.SaveCheckpointAsync(1, cancellationToken));
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Contains("TransactionScope", Assert.IsType<InvalidOperationException>(refused).Message, StringComparison.Ordinal);
        Assert.False(hasRun);
        Assert.Null(_store.Entry(id).Checkpoint);

        Task Step(CancellationToken cancellationToken)
        {
            hasRun = true;
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task The_fields_of_a_step_s_result_are_there_in_the_next_attempt()
    {
        var seen = new List<(int Id, string Name)>();
        _work.Do = async (context, cancellationToken) =>
        {
            seen.Add(await context.StepAsync("charge", _ => Task.FromResult((42, "invoice-42")), cancellationToken));
            if (context.Attempt == 1)
            {
                throw new InvalidOperationException("after the step");
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal([(42, "invoice-42"), (42, "invoice-42")], seen);
    }

    [Fact]
    public async Task A_step_whose_result_would_be_lost_is_refused_before_it_does_its_work()
    {
        var runs = 0;
        _work.Do = (context, cancellationToken) => context.StepAsync("charge", _ =>
        {
            runs++;
            return Task.FromResult<object>("receipt");
        }, cancellationToken);
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await _store.UntilEnded(id);

        Assert.Equal(0, runs);
        Assert.Contains("System.Object is an object, which reads back as JSON", _store.Entry(id).Last.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_name_used_twice_in_one_run_is_an_error()
    {
        _work.Do = async (context, cancellationToken) =>
        {
            await context.StepAsync("same", _ => Task.CompletedTask, cancellationToken);
            await context.StepAsync("same", _ => Task.CompletedTask, cancellationToken);
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await _store.UntilEnded(id);

        Assert.Equal(OutcomeKind.Failed, _store.Entry(id).Last.Kind);
        Assert.Contains("'same' was used before", _store.Entry(id).Last.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_is_there_for_the_next_attempt()
    {
        var seen = new List<int>();
        _work.Do = async (context, cancellationToken) =>
        {
            seen.Add(await context.GetCheckpointAsync<int>(cancellationToken));
            await context.SaveCheckpointAsync(context.Attempt * 10, cancellationToken);
            seen.Add(await context.GetCheckpointAsync<int>(cancellationToken));
            if (context.Attempt == 1)
            {
                throw new InvalidOperationException("after the checkpoint");
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal([0, 10, 10, 20], seen);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_store_that_does_not_answer_holds_a_handler_no_longer_than_its_lease(bool isStep)
    {
        var thrown = new TaskCompletionSource<(Exception Exception, StopReason Reason)>();
        _work.Do = async (context, cancellationToken) =>
        {
            if (context.Crashes > 0)
            {
                return;
            }

            try
            {
                _store.ProgressAnswers = new TaskCompletionSource().Task;
                _store.DeadNodes.Add(_store.NodeOf(context.Fence));
                await (isStep ? context.StepAsync("stalled", _ => Task.CompletedTask, cancellationToken)
                    : context.SaveCheckpointAsync(1, cancellationToken));
            }
            catch (Exception exception)
            {
                _store.TakeAway(context.Fence);
                thrown.SetResult((exception, context.StopReason));
                throw;
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        var (exception, reason) = await thrown.Task.WaitAsync(TestContext.Current.CancellationToken);
        await _store.UntilEnded(id);

        Assert.IsType<ClaimLostException>(exception);
        Assert.Equal(StopReason.ClaimLost, reason);
        Assert.Equal([OutcomeKind.Lost, OutcomeKind.Completed], _store.Entry(id).Kinds);
    }

    [Fact]
    public async Task A_step_of_a_lost_claim_throws_and_nothing_is_stored()
    {
        var thrown = new TaskCompletionSource<(ClaimLostException Exception, StopReason Reason)>();
        _work.Do = async (context, cancellationToken) =>
        {
            if (context.Crashes > 0)
            {
                return;
            }

            try
            {
                await context.StepAsync("late", _ =>
                {
                    _store.TakeAway(context.Fence);
                    return Task.FromResult(1);
                }, cancellationToken);
            }
            catch (ClaimLostException exception)
            {
                thrown.SetResult((exception, context.StopReason));
                throw;
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.Until(store => store.Entry(id).Outcomes.Count > 0);
        _store.Hint(StoreHintKind.Work, "default");
        await _store.UntilEnded(id);
        var (lost, reason) = await thrown.Task;
        await _store.Until(_ => host.Log.Count(2003) == 1);

        Assert.Equal(id, lost.EntryId);
        Assert.Equal(StopReason.ClaimLost, reason);
        Assert.Empty(_store.Entry(id).Steps);
        Assert.Equal([OutcomeKind.Lost, OutcomeKind.Completed], _store.Entry(id).Kinds);
    }

    [Theory]
    [InlineData("load progress")]
    [InlineData("save step")]
    [InlineData("save step answer")]
    [InlineData("save checkpoint")]
    [InlineData("save step", true)]
    [InlineData("save checkpoint", true)]
    public async Task A_store_that_is_away_for_a_moment_costs_no_attempt_and_repeats_no_step(string call, bool isForAPerson = false)
    {
        var (failures, steps) = (0, 0);
        _store.OnCall = name =>
        {
            if (name == call && Interlocked.Increment(ref failures) <= 2)
            {
                throw isForAPerson ? new StoreConfigurationException("no right") : new StoreUnavailableException("the server restarts");
            }
        };
        _work.Do = async (context, cancellationToken) =>
        {
            await context.StepAsync("one", _ => Task.FromResult(++steps), cancellationToken);
            await context.SaveCheckpointAsync(7, cancellationToken);
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Equal((1, true), (steps, failures >= 2));
    }

    [Fact]
    public async Task A_step_of_a_run_that_has_ended_is_refused_before_its_work()
    {
        WorkContext? escaped = null;
        _work.Do = (context, _) =>
        {
            escaped = context;
            return Task.CompletedTask;
        };
        await using var host = await StartAsync();
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);
        var runs = 0;

        await Assert.ThrowsAsync<ClaimLostException>(() => escaped!.StepAsync("late", _ => Task.FromResult(++runs)));
        await Assert.ThrowsAsync<ClaimLostException>(() => escaped!.SaveCheckpointAsync(1));
        await Assert.ThrowsAsync<ClaimLostException>(() => escaped!.ResetStepsAsync());

        Assert.Equal(0, runs);
        Assert.Equal(0, _store.CallsOf("save step"));
    }

    [Fact]
    public async Task A_handler_that_has_undone_its_steps_runs_them_again()
    {
        var runs = new List<string>();
        _work.Do = async (context, cancellationToken) =>
        {
            await context.StepAsync("charge", _ => Run("charge"), cancellationToken);
            if (context.Attempt == 1)
            {
                await context.ResetStepsAsync(cancellationToken);
                await context.StepAsync("refund", _ => Run("refund"), cancellationToken);
                await context.ResetStepsAsync(cancellationToken);
                throw new InvalidOperationException("undone");
            }

            Task Run(string step)
            {
                runs.Add(step);
                return Task.CompletedTask;
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal(["charge", "refund", "charge"], runs);
    }

    [Theory]
    [InlineData("result")]
    [InlineData("step")]
    [InlineData("checkpoint")]
    public async Task What_is_too_large_to_be_kept_is_refused_with_its_size(string what)
    {
        var large = new string('x', 2_000);
        _work.Do = async (context, cancellationToken) =>
        {
            switch (what)
            {
                case "result": context.SetResult(large); break;
                case "step": await context.StepAsync("one", _ => Task.FromResult(large), cancellationToken); break;
                default: await context.SaveCheckpointAsync(large, cancellationToken); break;
            }
        };
        await using var host = await StartAsync(options => options.MaxResultBytes = 1_000);

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await _store.UntilEnded(id);

        Assert.Equal(OutcomeKind.Failed, _store.Entry(id).Last.Kind);
        Assert.Contains("2,002 bytes", _store.Entry(id).Last.Error, StringComparison.Ordinal);
        Assert.Contains("MaxResultBytes", _store.Entry(id).Last.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_with_too_many_steps_is_told_so_before_the_next_one_runs()
    {
        var runs = 0;
        _work.Do = (context, cancellationToken) => context.StepAsync("one more", _ => Task.FromResult(++runs), cancellationToken);
        var id = _store.Add("test.work", "{}", entry =>
        {
            entry.Stored = entry.Stored with { MaxAttempts = 1 };
            for (var number = 0; number < 10_000; number++)
            {
                entry.Steps.Add($"step {number}", "1"u8.ToArray());
            }
        });
        await using var host = await StartAsync();
        await _store.UntilEnded(id);

        Assert.Contains("10,000 finished steps", _store.Entry(id).Last.Error, StringComparison.Ordinal);
        Assert.Equal(0, runs);
    }

    [Theory]
    [InlineData(63, 1)]
    [InlineData(64, 0)]
    public async Task An_entry_whose_steps_have_too_many_bytes_is_told_so_before_the_next_one_runs(int megabytes, int expected)
    {
        var runs = 0;
        _work.Do = (context, cancellationToken) => context.StepAsync("one more", _ => Task.FromResult(++runs), cancellationToken);
        var megabyte = new byte[1024 * 1024];
        var id = _store.Add("test.work", "{}", entry =>
        {
            entry.Stored = entry.Stored with { MaxAttempts = 1 };
            for (var number = 0; number < megabytes; number++)
            {
                entry.Steps.Add($"step {number}", megabyte);
            }
        });
        await using var host = await StartAsync();
        await _store.UntilEnded(id);

        Assert.Equal(expected, runs);
        Assert.Equal(expected == 0, _store.Entry(id).Last.Error?.Contains("67,108,864 bytes", StringComparison.Ordinal) == true);
    }

    private Task<WorkHost> StartAsync(Action<TaskRecoveryOptions>? configure = null) => WorkHost.StartAsync(_store, builder =>
    {
        builder.Services.AddSingleton(_work);
        builder.AddWorker<TestArgs, TestWorker>();
    }, configure);
}
