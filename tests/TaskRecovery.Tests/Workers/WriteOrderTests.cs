using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>The writes of a run have an order, so that a store can tell one that arrives late, and none overtakes one whose call is
/// repeated.</summary>
public sealed class WriteOrderTests
{
    // The waits between the repetitions are a third of a second together, in which a later write would be stored.
    private const int Failures = 3;

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
        await using var host = await StartAsync();

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
        await using var host = await StartAsync();

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

    [Theory]
    [InlineData("checkpoint", "checkpoint")]
    [InlineData("checkpoint", "reset")]
    [InlineData("step", "reset")]
    [InlineData("reset", "checkpoint")]
    [InlineData("reset", "step")]
    [InlineData("reset", "reset")]
    public async Task A_write_that_is_called_while_an_earlier_one_is_repeated_is_stored_after_it(string earlier, string later)
    {
        var failures = 0;

        var stored = await StoreAsync(earlier, later, _ => Interlocked.Increment(ref failures) <= Failures);

        Assert.Equal([1L, 2L], stored);
    }

    [Theory]
    [InlineData("step", "step")]
    [InlineData("step", "checkpoint")]
    [InlineData("checkpoint", "step")]
    public async Task Writes_that_do_not_replace_each_other_do_not_wait_for_each_other(string earlier, string later)
    {
        var stored = await StoreAsync(earlier, later, static ordinals => !ordinals.Contains(2L));

        Assert.Equal([2L, 1L], stored);
    }

    [Fact]
    public async Task A_write_that_was_refused_keeps_no_later_one_waiting()
    {
        _store.RefuseProgress = static batch => batch[0].Ordinal == 1 ? new ContentRefusedException("the first one") : null;
        _work.Do = async (context, cancellationToken) =>
        {
            await Assert.ThrowsAsync<ContentRefusedException>(() => context.SaveCheckpointAsync(1, cancellationToken));
            await context.SaveCheckpointAsync(2, cancellationToken);
            await context.ResetStepsAsync(cancellationToken);
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Equal(3, Assert.Single(_store.Resets));
    }

    /// <summary>A handler calls the second write after the first one has failed and before it is repeated.</summary>
    /// <param name="earlier">The first write.</param>
    /// <param name="later">The second write.</param>
    /// <param name="fails">Whether the first write fails again, by what has been stored.</param>
    /// <returns>The ordinals of what was stored, in this order.</returns>
    private async Task<IReadOnlyList<long>> StoreAsync(string earlier, string later, Predicate<IReadOnlyList<long>> fails)
    {
        var stored = new List<long>();
        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.RefuseProgress = batch => Refuse([.. batch.Select(static write => write.Ordinal)]);
        _store.RefuseReset = ordinal => Refuse([ordinal]);
        _work.Do = async (context, cancellationToken) =>
        {
            var first = CallAsync(context, earlier, "first", cancellationToken);
            await failed.Task;
            var second = CallAsync(context, later, "second", cancellationToken);
            await Task.WhenAll(first, second);
        };
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 1 });
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        return stored;

        Exception? Refuse(long[] ordinals)
        {
            lock (stored)
            {
                if (ordinals.Contains(1L) && fails(stored))
                {
                    failed.TrySetResult();
                    return new StoreUnavailableException("the server restarts");
                }

                stored.AddRange(ordinals);
                return null;
            }
        }
    }

    private static Task CallAsync(WorkContext<TestArgs> context, string call, string name, CancellationToken cancellationToken)
        => call switch
        {
            "step" => context.StepAsync(name, static _ => Task.CompletedTask, cancellationToken),
            "checkpoint" => context.SaveCheckpointAsync(name, cancellationToken),
            _ => context.ResetStepsAsync(cancellationToken),
        };

    private Task<WorkHost> StartAsync() => WorkHost.StartAsync(_store, builder =>
    {
        builder.Services.AddSingleton(_work);
        builder.AddWorker<TestArgs, TestWorker>();
    });
}
