using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>Loggers and listeners that throw, and exceptions that can't be read: nothing of it may cost an outcome or a loop.</summary>
public sealed class ListenerFailureTests
{
    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Fact]
    public async Task A_logger_that_throws_costs_no_outcome_and_no_loop()
    {
        _work.Do = (context, _) => context.Attempt < 3 ? throw new InvalidOperationException("again") : Task.CompletedTask;
        await using var host = await StartAsync();
        host.Log.OnLine = _ => throw new InvalidOperationException("The sink writes to the same database.");
        var failures = 0;
        _store.OnCall = name =>
        {
            if (name is "claim" or "finish" or "poll" && Interlocked.Increment(ref failures) < 10)
            {
                throw new StoreUnavailableException("gone for a moment");
            }
        };

        var ids = new List<long>();
        for (var number = 0; number < 50; number++)
        {
            ids.Add((await host.Queue.EnqueueAsync(new TestArgs(number))).Id);
        }

        await _store.UntilEnded([.. ids]);
        host.Log.OnLine = null;

        Assert.All(ids, id => Assert.Equal([OutcomeKind.Retried, OutcomeKind.Retried, OutcomeKind.Completed], _store.Entry(id).Kinds));
    }

    [Fact]
    public async Task A_listener_to_activities_that_throws_costs_no_outcome()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == TaskRecoveryDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options)
                => options.Name.StartsWith("process", StringComparison.Ordinal)
                    ? throw new InvalidOperationException("no sample")
                    : ActivitySamplingResult.None,
        };
        ActivitySource.AddActivityListener(listener);
        await using var host = await StartAsync(concurrency: 1);

        var first = (await host.Queue.EnqueueAsync(new TestArgs(1))).Id;
        var second = (await host.Queue.EnqueueAsync(new TestArgs(2))).Id;
        await _store.UntilEnded(first, second);

        Assert.All([first, second], id => Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds));
    }

    [Fact]
    public async Task An_exception_whose_text_throws_is_a_failed_attempt_as_any_other()
    {
        _work.Do = (context, _) => context.Attempt == 1 ? throw new UnreadableException() : Task.CompletedTask;
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Retried, OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Contains(nameof(UnreadableException), _store.Entry(id).Outcomes[0].Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_s_text_that_was_cut_in_the_middle_of_a_character_is_stored_without_its_half()
    {
        _work.Do = (context, _) => context.Attempt == 1 ? throw new InvalidOperationException("smile: \uD83D") : Task.CompletedTask;
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Contains("smile: \uFFFD", _store.Entry(id).Outcomes[0].Error, StringComparison.Ordinal);
    }

    private Task<WorkHost> StartAsync(int? concurrency = null) => WorkHost.StartAsync(_store, builder =>
    {
        builder.Services.AddSingleton(_work);
        builder.AddWorker<TestArgs, TestWorker>();
        builder.AddQueue("default", concurrency);
    });

    private sealed class UnreadableException : Exception
    {
        public override string Message => throw new InvalidOperationException("not even its message");
    }
}
