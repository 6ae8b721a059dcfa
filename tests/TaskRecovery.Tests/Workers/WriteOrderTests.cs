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
}
