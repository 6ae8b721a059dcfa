using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Testing.Hosts;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>When a drain is over although it runs nothing itself.</summary>
public sealed class BackgroundDrainTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly TaskCompletionSource _firstRuns = New();
    private readonly TaskCompletionSource _firstMayEnd = New();
    private readonly TaskCompletionSource _secondRuns = New();
    private readonly TaskCompletionSource _secondMayEnd = New();
    private TestApplication? _application;
    private EntryState _firstEndsAs = EntryState.Completed;
    private long _first;
    private int _counts;
    private int _runs;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>When the drain asks what runs, the first entry ends, and what it has enqueued waits. When it asks what is due, that
    /// runs.</summary>
    [Fact]
    public async Task It_waits_for_an_entry_that_moves_between_its_questions()
    {
        await using var application = _application = await TestApplication.StartAsync(
            WorkAsync, static options => options.Running = TestRunning.Automatic, wrap: store => CountingStore.Over(store, CountAsync));
        _first = (await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation)).Id;
        await _firstRuns.Task.WaitAsync(Limit, Cancellation);

        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(2, drained.Runs.Count);
    }

    /// <summary>The end of the run is counted before the drain begins, and its outcome is stored between two questions of the
    /// drain.</summary>
    [Fact]
    public async Task It_waits_for_an_entry_that_is_due_again_once_its_outcome_is_stored()
    {
        _firstEndsAs = EntryState.Waiting;
        await using var application = _application = await TestApplication.StartAsync(
            SnoozeAsync, static options => options.Running = TestRunning.Automatic,
            wrap: store => CountingStore.Over(store, CountAsync, beforeFinish: () => _firstMayEnd.Task.WaitAsync(Cancellation)));
        _first = (await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation)).Id;
        await WaitForEndsAsync("default", 1);

        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(2, drained.Runs.Count);
    }

    /// <summary>At each question what runs, another run of a queue that is not drained has ended.</summary>
    [Fact]
    public async Task It_does_not_depend_on_a_queue_that_it_does_not_drain()
    {
        await using var application = _application = await TestApplication.StartAsync(
            static (_, _) => Task.CompletedTask, static options => options.Running = TestRunning.Automatic,
            static builder => builder.AddQueue("busy"), store => CountingStore.Over(store, RunBusyAsync));
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);
        await WaitForEndsAsync("default", 1);

        var drained = await application.Test.DrainAsync(new DrainOptions { Queues = ["default"], Limit = 5 }, Cancellation);

        Assert.Equal("default", Assert.Single(drained.Runs).Queue);
        Assert.Equal(_counts, application.Services.GetRequiredService<RunMonitor>().TakeRuns(["busy"]).Count);
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task WorkAsync(WorkContext<Numbers> context, CancellationToken cancellationToken)
    {
        if (context.Args.First == 1)
        {
            _firstRuns.TrySetResult();
            await _firstMayEnd.Task.WaitAsync(cancellationToken);
            await _application!.Queue.EnqueueAsync(new Numbers(2), cancellationToken: cancellationToken);
            return;
        }

        _secondRuns.TrySetResult();
        await _secondMayEnd.Task.WaitAsync(cancellationToken);
    }

    private async Task SnoozeAsync(WorkContext<Numbers> context, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _runs) == 1)
        {
            context.Snooze(TimeSpan.Zero);
            return;
        }

        _secondRuns.TrySetResult();
        await _secondMayEnd.Task.WaitAsync(cancellationToken);
    }

    private Task WaitForEndsAsync(string queue, long ends)
    {
        var monitor = _application!.Services.GetRequiredService<RunMonitor>();
        return UntilAsync(() => Task.FromResult(monitor.EndsOf([queue]) >= ends));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(Limit);
        while (!await condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), limit.Token);
        }
    }

    private async ValueTask<QueueCounts> RunBusyAsync(Func<ValueTask<QueueCounts>> count)
    {
        var counts = Interlocked.Increment(ref _counts);
        await _application!.Queue.EnqueueAsync(new Numbers(counts), new EnqueueOptions { Queue = "busy" }, Cancellation);
        await WaitForEndsAsync("busy", counts);
        return await count();
    }

    // While the queue is paused, what the first entry makes due is not claimed.
    private async ValueTask<QueueCounts> CountAsync(Func<ValueTask<QueueCounts>> count)
    {
        if (Interlocked.Increment(ref _counts) > 1)
        {
            _secondMayEnd.TrySetResult();
            return await count();
        }

        var queue = _application!.Queue;
        await queue.PauseAsync("default", Cancellation);
        _firstMayEnd.SetResult();
        await UntilAsync(async () => (await queue.FindAsync(_first, Cancellation))!.State == _firstEndsAs);
        var counted = await count();
        await queue.ResumeAsync("default", Cancellation);
        await _secondRuns.Task.WaitAsync(Limit, Cancellation);
        return counted;
    }

    /// <summary>A store whose counts are asked for by the test.</summary>
    [SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives a class from it.")]
    private class CountingStore : DispatchProxy
    {
        private IQueueStore? _inner;
        private Func<Func<ValueTask<QueueCounts>>, ValueTask<QueueCounts>>? _count;
        private Func<Task>? _beforeFinish;

        public static IQueueStore Over(
            IQueueStore inner, Func<Func<ValueTask<QueueCounts>>, ValueTask<QueueCounts>> count, Func<Task>? beforeFinish = null)
        {
            var store = Create<IQueueStore, CountingStore>();
            var proxy = (CountingStore)(object)store;
            (proxy._inner, proxy._count, proxy._beforeFinish) = (inner, count, beforeFinish);
            return store;
        }

        [SuppressMessage("Reliability", "CA2012", Justification = "The proxy hands it to the caller as its result.")]
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
            => targetMethod!.Name switch
            {
                nameof(IQueueStore.CountAsync) => _count!(async () => await (ValueTask<QueueCounts>)Forward(targetMethod, args)!),
                nameof(IQueueStore.FinishAsync) when _beforeFinish is not null => FinishAsync(targetMethod, args),
                _ => Forward(targetMethod, args),
            };

        private async ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(MethodInfo method, object?[]? args)
        {
            await _beforeFinish!();
            return await (ValueTask<IReadOnlyList<RunOutcome>>)Forward(method, args)!;
        }

        private object? Forward(MethodInfo method, object?[]? args)
            => method.Invoke(_inner, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null);
    }
}
