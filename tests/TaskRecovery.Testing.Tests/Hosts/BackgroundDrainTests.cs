using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using TaskRecovery.Storage;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>When a drain is over although it runs nothing itself.</summary>
public sealed class BackgroundDrainTests
{
    private readonly TaskCompletionSource _firstRuns = New();
    private readonly TaskCompletionSource _firstMayEnd = New();
    private readonly TaskCompletionSource _secondRuns = New();
    private readonly TaskCompletionSource _secondMayEnd = New();
    private TestApplication? _application;
    private long _first;
    private int _looks;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>When the drain first asks what is due, the first entry runs. When it asks what runs, the first entry has ended, and what it
    /// has enqueued waits. When it asks again what is due, that runs.</summary>
    [Fact]
    public async Task It_waits_for_an_entry_that_moves_between_its_questions()
    {
        await using var application = _application = await TestApplication.StartAsync(
            WorkAsync, static options => options.Running = TestRunning.Automatic, replace: ReplaceStore);
        _first = (await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation)).Id;
        await _firstRuns.Task.WaitAsync(Cancellation);

        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(2, drained.Runs.Count);
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task WorkAsync(WorkContext<Numbers> context, CancellationToken cancellationToken)
    {
        if (context.Args.First == 1)
        {
            _firstRuns.SetResult();
            await _firstMayEnd.Task.WaitAsync(cancellationToken);
            await _application!.Queue.EnqueueAsync(new Numbers(2), cancellationToken: cancellationToken);
            return;
        }

        _secondRuns.SetResult();
        await _secondMayEnd.Task.WaitAsync(cancellationToken);
    }

    private void ReplaceStore(IServiceCollection services)
    {
        var store = services.Last(static service => service.ServiceType == typeof(IQueueStore)).ImplementationFactory!;
        services.AddKeyedSingleton<IQueueStore>("inner", (provider, _) => (IQueueStore)store(provider));
        services.Replace(ServiceDescriptor.Singleton(
            provider => CountingStore.Over(provider.GetRequiredKeyedService<IQueueStore>("inner"), CountAsync)));
    }

    // While the queue is paused, what the first entry enqueues is not claimed.
    private async ValueTask<QueueCounts> CountAsync(Func<ValueTask<QueueCounts>> count)
    {
        if (Interlocked.Increment(ref _looks) > 1)
        {
            _secondMayEnd.TrySetResult();
            return await count();
        }

        var queue = _application!.Queue;
        await queue.PauseAsync("default", Cancellation);
        _firstMayEnd.SetResult();
        while ((await queue.FindAsync(_first, Cancellation))!.State != EntryState.Completed)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), Cancellation);
        }

        var counted = await count();
        await queue.ResumeAsync("default", Cancellation);
        await _secondRuns.Task.WaitAsync(Cancellation);
        return counted;
    }

    /// <summary>A store whose counts are asked for by the test.</summary>
    [SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives a class from it.")]
    private class CountingStore : DispatchProxy
    {
        private IQueueStore? _inner;
        private Func<Func<ValueTask<QueueCounts>>, ValueTask<QueueCounts>>? _count;

        public static IQueueStore Over(IQueueStore inner, Func<Func<ValueTask<QueueCounts>>, ValueTask<QueueCounts>> count)
        {
            var store = Create<IQueueStore, CountingStore>();
            (((CountingStore)(object)store)._inner, ((CountingStore)(object)store)._count) = (inner, count);
            return store;
        }

        [SuppressMessage("Reliability", "CA2012", Justification = "The proxy hands it to the caller as its result.")]
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
            => targetMethod!.Name == nameof(IQueueStore.CountAsync)
                ? _count!(async () => await (ValueTask<QueueCounts>)Forward(targetMethod, args)!)
                : Forward(targetMethod, args);

        private object? Forward(MethodInfo method, object?[]? args)
            => method.Invoke(_inner, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null);
    }
}
