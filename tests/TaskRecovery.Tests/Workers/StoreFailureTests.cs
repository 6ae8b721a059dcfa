using Microsoft.Extensions.DependencyInjection;
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
        await _store.Until(store => store.Flushes.Count >= 3 && store.OpenClaims == 0);

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
        _store.RefuseResult = "13";
        await using var host = await StartAsync();

        var results = await host.Queue.EnqueueManyAsync(Enumerable.Range(10, 6).Select(number => EnqueueRequest.Create(new TestArgs(number))));
        await _store.UntilEnded([.. results.Select(result => result.Id)]);

        Assert.Equal(5, _store.Entries.Count(entry => entry.Last.Kind == OutcomeKind.Completed));
        Assert.Equal(OutcomeKind.Failed, _store.Entry(results[3].Id).Last.Kind);
    }

    [Fact]
    public async Task A_claim_whose_answer_was_lost_is_given_back_and_runs()
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

        Assert.Single(host.Log.Lines, line => line.Id == 1002 && line.Message.Contains("claims of queue default", StringComparison.Ordinal));
        Assert.Single(host.Log.Lines, line => line.Id == 1003 && line.Message.Contains("claims of queue default", StringComparison.Ordinal));
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
        await _store.Until(store => store.Calls["register"] == 2);

        Assert.NotEqual(0, second);
        Assert.Equal(1, host.Log.Count(3009));
    }

    private Task<WorkHost> StartAsync() => WorkHost.StartAsync(
        _store,
        builder =>
        {
            builder.Services.AddSingleton(_work);
            builder.AddWorker<TestArgs, TestWorker>();
        },
        options =>
        {
            options.Node.BeatInterval = TimeSpan.FromMilliseconds(100);
            options.Recovery.SweepInterval = TimeSpan.FromMilliseconds(100);
        });
}
