using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>The writes of a run have an order, so that a store can tell one that arrives late.</summary>
public sealed class WriteOrderTests
{
    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Fact]
    public async Task Each_write_of_a_run_has_a_greater_ordinal_than_those_before_it_and_keeps_it_when_it_is_repeated()
    {
        var writes = new List<string>();
        _store.RefuseProgress = batch =>
        {
            var write = $"{batch[0].Step ?? "checkpoint"} {batch[0].Ordinal}";
            var isRepetition = writes.Contains(write);
            writes.Add(write);
            return isRepetition ? null : new StoreUnavailableException("the answer was lost");
        };
        _work.Do = async (context, cancellationToken) =>
        {
            await context.StepAsync("one", _ => Task.CompletedTask, cancellationToken);
            await context.SaveCheckpointAsync(2, cancellationToken);
            await context.ResetStepsAsync(cancellationToken);
            await context.StepAsync("one", _ => Task.CompletedTask, cancellationToken);
        };
        await using var host = await WorkHost.StartAsync(_store, builder =>
        {
            builder.Services.AddSingleton(_work);
            builder.AddWorker<TestArgs, TestWorker>();
        });

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal(["one 1", "one 1", "checkpoint 2", "checkpoint 2", "one 4", "one 4"], writes);
        Assert.Equal(3, Assert.Single(_store.Resets));
    }

    /// <summary>Otherwise the removal could arrive at the store later, and remove what was stored after it.</summary>
    [Theory]
    [InlineData("step")]
    [InlineData("running step")]
    [InlineData("checkpoint")]
    [InlineData("read")]
    public async Task A_removal_that_failed_is_repeated_under_its_ordinal_by_what_uses_the_progress_next(string next)
    {
        var (failures, calls, failure, checkpoint) = (0, new List<string>(), (Exception?)null, (int?)null);
        _store.OnCall = call =>
        {
            if (call == "reset progress answer" && failures++ == 0)
            {
                throw new InvalidOperationException("The answer was lost.");
            }

            if (call is "reset progress" or "save step" or "save checkpoint")
            {
                calls.Add(call);
            }
        };
        _work.Do = async (context, cancellationToken) =>
        {
            await context.SaveCheckpointAsync(1, cancellationToken);
            if (next == "running step")
            {
                await context.StepAsync("one", _ => ResetAsync(), cancellationToken);
                return;
            }

            await ResetAsync();
            switch (next)
            {
                case "step":
                    await context.StepAsync("one", _ => Task.CompletedTask, cancellationToken);
                    break;
                case "checkpoint":
                    await context.SaveCheckpointAsync(2, cancellationToken);
                    break;
                default:
                    checkpoint = await context.GetCheckpointAsync<int?>(cancellationToken);
                    break;
            }

            async Task ResetAsync() => failure = await Record.ExceptionAsync(() => context.ResetStepsAsync(cancellationToken));
        };
        await using var host = await WorkHost.StartAsync(_store, builder =>
        {
            builder.Services.AddSingleton(_work);
            builder.AddWorker<TestArgs, TestWorker>();
        });

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.IsType<InvalidOperationException>(failure);
        Assert.Equal([2, 2], _store.Resets);
        Assert.Null(checkpoint);
        string[] stored = next switch
        {
            "read" => [],
            "checkpoint" => ["save checkpoint"],
            _ => ["save step"],
        };
        Assert.Equal(["save checkpoint", "reset progress", "reset progress", .. stored], calls);
    }
}
