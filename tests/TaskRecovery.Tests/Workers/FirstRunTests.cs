using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>Which runs read the steps and the checkpoint of earlier ones.</summary>
public sealed class FirstRunTests
{
    private readonly FakeQueueStore _store = new() { KnowsFirstRuns = true };
    private readonly TestWork _work = new();

    [Fact]
    public async Task An_entry_that_was_never_claimed_before_needs_no_read_and_a_later_attempt_does()
    {
        var runs = new List<string>();
        var reads = new List<int>();
        _work.Do = async (context, cancellationToken) =>
        {
            await context.StepAsync("first", _ => Run("first"), cancellationToken);
            await context.StepAsync("second", _ => Run("second"), cancellationToken);
            reads.Add(_store.CallsOf("load progress"));
            if (context.Attempt == 1)
            {
                throw new InvalidOperationException("after the steps");
            }

            Task Run(string step)
            {
                runs.Add(step);
                return Task.CompletedTask;
            }
        };
        await using var host = await WorkHost.StartAsync(_store, builder =>
        {
            builder.Services.AddSingleton(_work);
            builder.AddWorker<TestArgs, TestWorker>();
        });

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal(["first", "second"], runs);
        Assert.Equal([0, 1], reads);
    }
}
