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
                await (isStep ? context.StepAsync("stalled", _ => Task.CompletedTask, cancellationToken) : context.SaveCheckpointAsync(1, cancellationToken));
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
        var (exception, reason) = await thrown.Task.WaitAsync(TimeSpan.FromSeconds(20));
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

    private Task<WorkHost> StartAsync() => WorkHost.StartAsync(_store, builder =>
    {
        builder.Services.AddSingleton(_work);
        builder.AddWorker<TestArgs, TestWorker>();
    });
}
