using System.Data.Common;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Queue;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>What the engine does when the store is not there, or answers get lost.</summary>
public sealed class StoreFailureTests
{
    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Fact]
    public async Task Outcomes_are_sent_again_after_a_lost_answer()
    {
        var lost = 0;
        _store.OnCall = call =>
        {
            if (call == "finish answer" && Interlocked.Increment(ref lost) <= 2)
            {
                throw new StoreUnavailableException("the answer was lost");
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.Until(store => store.Flushes.Count >= 3 && store.OpenClaims == 0
            && host.Log.Lines.Any(line => line.Id == 1003 && line.Message.Contains("outcomes", StringComparison.Ordinal)));

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Equal(0, host.Log.Count(2003));
        Assert.Single(host.Log.Lines, line => line.Id == 1002 && line.Message.Contains("outcomes", StringComparison.Ordinal));
        Assert.Single(host.Log.Lines, line => line.Id == 1003 && line.Message.Contains("outcomes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_outcome_that_can_t_be_stored_holds_up_no_other()
    {
        _work.Do = (context, _) =>
        {
            context.SetResult(context.Args.Number);
            return Task.CompletedTask;
        };
        _store.RefuseFlush = outcomes => outcomes.Any(outcome => Encoding.UTF8.GetString(outcome.Result.Span) == "13")
            ? new ContentRefusedException("13 is refused")
            : null;
        await using var host = await StartAsync();

        var results = await host.Queue.EnqueueManyAsync(
            Enumerable.Range(10, 6).Select(number => EnqueueRequest.Create(new TestArgs(number))));
        await _store.UntilEnded([.. results.Select(result => result.Id)]);

        Assert.All(_store.Entries, entry => Assert.Equal([OutcomeKind.Completed], entry.Kinds));
        Assert.Equal(
            (true, "The result could not be stored (13 is refused)."),
            (_store.Entry(results[3].Id).Last.Result.IsEmpty, _store.Entry(results[3].Id).Last.Error));
        Assert.Equal(1, host.Log.Count(2005));
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(int.MaxValue, false)]
    public async Task An_outcome_that_is_refused_without_its_text_too_is_tried_again_behind_the_others_before_it_is_discarded(
        int refusals, bool isStored)
    {
        var left = refusals;
        _work.Do = (context, _) =>
        {
            context.SetResult(context.Args.Number);
            return Task.CompletedTask;
        };
        _store.RefuseFlush = outcomes => outcomes.Any(IsOf13) && left > 0 && (outcomes.Count > 1 || left-- > 0)
            ? new ContentRefusedException("54000")
            : null;
        await using var host = await StartAsync();

        var results = await host.Queue.EnqueueManyAsync(
            Enumerable.Range(10, 6).Select(number => EnqueueRequest.Create(new TestArgs(number))));
        var refused = results[3].Id;
        await _store.Until(store => store.Entries.Count(entry => entry.IsEnded && entry.Id != refused) == 5
            && (isStored ? store.Entry(refused).IsEnded : host.Log.Count(2013) == 1));

        Assert.Equal((isStored, isStored ? 0 : 1), (_store.Entry(refused).IsEnded, host.Log.Count(2013)));

        static bool IsOf13(RunOutcome outcome)
            => Encoding.UTF8.GetString(outcome.Result.Span) == "13"
                || outcome.Error?.Contains("54000", StringComparison.Ordinal) == true;
    }

    [Fact]
    public async Task A_failed_attempt_whose_text_is_refused_is_retried_all_the_same()
    {
        _work.Do = (context, _) => context.Attempt == 1 ? throw new InvalidOperationException("\u2192") : Task.CompletedTask;
        _store.RefuseFlush = outcomes => outcomes.Any(outcome => outcome.Error?.Contains('\u2192', StringComparison.Ordinal) == true)
            ? new ContentRefusedException("22P05")
            : null;
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Retried, OutcomeKind.Completed], _store.Entry(id).Kinds);
    }

    [Fact]
    public async Task Outcomes_that_are_too_large_together_are_stored_in_parts_and_one_that_is_never_stored_holds_up_no_other()
    {
        _work.Do = (context, _) =>
        {
            context.SetResult(context.Args.Number);
            return Task.CompletedTask;
        };
        var gate = 0;
        _store.RefuseFlush = outcomes => outcomes.Count > 3
            || (Volatile.Read(ref gate) == 0 && outcomes.Any(outcome => Encoding.UTF8.GetString(outcome.Result.Span) == "13"))
            ? new StoreUnavailableException("invalid message length")
            : null;
        await using var host = await StartAsync();

        var results = await host.Queue.EnqueueManyAsync(
            Enumerable.Range(10, 40).Select(number => EnqueueRequest.Create(new TestArgs(number))));
        await _store.Until(store => store.Entries.Count(entry => entry.IsEnded) == 39);
        Assert.False(_store.Entry(results[3].Id).IsEnded);
        Volatile.Write(ref gate, 1);
        await _store.UntilEnded(results[3].Id);

        Assert.Equal("13", _store.Entry(results[3].Id).Result);
    }

    [Fact]
    public async Task Claims_that_keep_failing_are_listed_until_one_succeeds()
    {
        _store.OnCall = call =>
        {
            if (call == "claim")
            {
                throw new InvalidCastException("a row can't be read");
            }
        };
        await using var host = await StartAsync();
        var loops = host.Services.GetRequiredService<IFailingLoops>();

        await _store.Until(_ => loops.ListFailing().Contains("claims of queue default"));
        _store.OnCall = null;
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Empty(loops.ListFailing());
    }

    [Fact]
    public async Task A_run_that_ends_with_the_store_s_own_failure_spends_no_attempt()
    {
        _work.Do = static (_, _) => throw new StoreConfigurationException("The role lacks a grant.", new RefusedByDatabase());
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await _store.Until(store => store.Entry(id).Outcomes.Count == 1);

        Assert.Equal((OutcomeKind.Released, TimeSpan.FromMinutes(1)), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Delay));
        Assert.Equal(1, host.Log.Count(2014));
    }

    [Fact]
    public async Task A_run_that_waited_for_a_transaction_of_its_own_process_spends_its_attempts()
    {
        _work.Do = static (_, _) => throw new StoreUnavailableException("Pass the transaction.") { IsHeldByThisProcess = true };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await _store.Until(store => store.Entry(id).Outcomes.Count == 1);

        Assert.Equal((OutcomeKind.Failed, EndReasons.AttemptsExhausted), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Reason));
        Assert.Contains("Pass the transaction.", _store.Entry(id).Last.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_waited_for_a_transaction_of_its_own_process_is_not_sent_again()
    {
        var sent = 0;
        _store.OnCall = name =>
        {
            if (name == "save step")
            {
                Interlocked.Increment(ref sent);
                throw new StoreUnavailableException("Pass the transaction.") { IsHeldByThisProcess = true };
            }
        };
        _work.Do = static (context, cancellationToken) => context.StepAsync("one", static _ => Task.CompletedTask, cancellationToken);
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Failed], _store.Entry(id).Kinds);
        Assert.Equal(1, sent);
    }

    [Fact]
    public async Task A_step_is_sent_again_although_the_clock_of_the_application_stands_still()
    {
        var sent = 0;
        _store.OnCall = name =>
        {
            if (name == "save step" && Interlocked.Increment(ref sent) == 1)
            {
                throw new StoreUnavailableException("The server has closed the connection.");
            }
        };
        _work.Do = static (context, cancellationToken) => context.StepAsync("one", static _ => Task.CompletedTask, cancellationToken);
        var id = _store.Add("test.work", """{"number":1}""");
        await using var host = await StartAsync(time: new ManualTimeProvider());

        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Equal(2, sent);
    }

    [Fact]
    public async Task A_claim_whose_answer_was_lost_is_released_and_runs()
    {
        var lost = 0;
        _store.OnCall = call =>
        {
            if (call == "claim answer" && _store.OpenClaims > 0 && Interlocked.Increment(ref lost) == 1)
            {
                throw new StoreUnavailableException("the answer was lost");
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Released, OutcomeKind.Completed], _store.Entry(id).Kinds);
    }

    [Fact]
    public async Task Claims_go_on_when_the_store_is_back_and_the_log_says_so_once()
    {
        var failures = 0;
        _store.OnCall = call =>
        {
            if (call == "claim" && Interlocked.Increment(ref failures) <= 4)
            {
                throw new StoreUnavailableException("not there");
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Single(
            host.Log.Lines, line => line.Id == 1002 && line.Message.Contains("claims of queue default", StringComparison.Ordinal));
        Assert.Single(
            host.Log.Lines, line => line.Id == 1003 && line.Message.Contains("claims of queue default", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_result_of_a_run_whose_claim_was_taken_is_discarded()
    {
        var runs = 0;
        _work.Do = (context, _) =>
        {
            if (Interlocked.Increment(ref runs) == 1)
            {
                _store.TakeAway(context.Fence);
            }

            context.SetResult(runs);
            return Task.CompletedTask;
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);
        await _store.Until(_ => host.Log.Count(2003) == 1);

        Assert.Equal([OutcomeKind.Lost, OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Equal("2", _store.Entry(id).Result);
        Assert.Equal(1, host.Log.Count(2003));
    }

    [Fact]
    public async Task A_node_that_was_declared_dead_cancels_its_handlers_and_works_on_as_a_new_one()
    {
        var fired = new TaskCompletionSource<StopReason>();
        var runs = 0;
        _work.Do = async (context, cancellationToken) =>
        {
            if (Interlocked.Increment(ref runs) == 1)
            {
                try
                {
                    _store.DeadNodes.Add(_store.NodeOf(context.Fence));
                    _store.TakeAway(context.Fence);
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                }
                finally
                {
                    fired.SetResult(context.StopReason);
                }
            }
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal(StopReason.ClaimLost, await fired.Task);
        Assert.Equal([OutcomeKind.Lost, OutcomeKind.Completed], _store.Entry(id).Kinds);
    }

    [Fact]
    public async Task A_claim_id_that_goes_back_makes_the_node_register_anew()
    {
        await using var host = await StartAsync();
        var first = (await host.Queue.EnqueueAsync(new TestArgs())).Id;
        await _store.UntilEnded(first);

        _store.SetLastFence(1);
        var second = (await host.Queue.EnqueueAsync(new TestArgs())).Id;
        await _store.Until(store => store.CallsOf("register") == 2 && host.Log.Count(3009) > 0);

        Assert.NotEqual(0, second);
        Assert.Equal(1, host.Log.Count(3009));
    }

    [Fact]
    public async Task An_enqueue_that_waited_in_vain_for_a_key_reports_whether_its_callers_own_transaction_may_have_it()
    {
        _store.TakenKeys.Add("one");
        _store.RefuseEntries = static entries => entries[0].UniqueKey is not "many" ? null
            : new StoreUnavailableException("The key is not free.", new LockTimeout());
        await using var host = await StartAsync();
        host.Services.GetRequiredService<EntryWriter>().KeyLimit = TimeSpan.Zero;
        Func<Task> one = async () => await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { UniqueKey = "one" });
        Func<Task> many = async () => await host.Queue.EnqueueManyAsync(
            [EnqueueRequest.Create(new TestArgs(), new EnqueueOptions { UniqueKey = "many" })]);

        Assert.False((await Assert.ThrowsAsync<StoreUnavailableException>(one)).IsHeldByThisProcess);
        Assert.False((await Assert.ThrowsAsync<StoreUnavailableException>(many)).IsHeldByThisProcess);
        await using var transaction = new FakeTransaction();
        await host.Queue.EnqueueAsync(new TestArgs(), transaction);

        Assert.True((await Assert.ThrowsAsync<StoreUnavailableException>(one)).IsHeldByThisProcess);
        Assert.True((await Assert.ThrowsAsync<StoreUnavailableException>(many)).IsHeldByThisProcess);
        transaction.Commit();

        Assert.False((await Assert.ThrowsAsync<StoreUnavailableException>(one)).IsHeldByThisProcess);
        Assert.False((await Assert.ThrowsAsync<StoreUnavailableException>(many)).IsHeldByThisProcess);
    }

    private static void RefuseEntries(string call)
    {
        if (call.StartsWith("enqueue", StringComparison.Ordinal))
        {
            throw new StoreConfigurationException("The password is wrong.");
        }
    }

    private Task<WorkHost> StartAsync(FakeQueueStore? store = null, TimeProvider? time = null) => WorkHost.StartAsync(
        store ?? _store,
        builder =>
        {
            builder.Services.AddSingleton(_work);
            builder.Services.AddSingleton(time ?? TimeProvider.System);
            builder.AddWorker<TestArgs, TestWorker>();
        },
        options =>
        {
            options.Node.HeartbeatInterval = TimeSpan.FromMilliseconds(100);
            options.Recovery.SweepInterval = TimeSpan.FromMilliseconds(100);
        });

    private sealed class RefusedByDatabase() : DbException("permission denied");

    private sealed class LockTimeout : DbException
    {
        public override string SqlState => "55P03";
    }
}
