using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Monitoring;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Monitoring;

/// <summary>The loop that stores what a process counted.</summary>
public sealed class StatisticsLoopTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly Metrics _metrics = new();
    private readonly ManualTimeProvider _time = new();
    private readonly IMonitorStore _store = DispatchProxy.Create<IMonitorStore, HeldStore>();
    private readonly StatisticsLoop _loop;

    public StatisticsLoopTests() => _loop = new StatisticsLoop(
        _store,
        _metrics,
        new StoreLoopServices(
            new StartupGate(), new FakeRole(), new OutageReporter(_time, new LogRecorder<OutageReporter>()), _time));

    private HeldStore Store => (HeldStore)(object)_store;

    public void Dispose()
    {
        _loop.Dispose();
        _metrics.Dispose();
    }

    /// <summary>The last round of a stop may come while a round of the loop is in progress.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_round_waits_for_the_one_in_progress_and_stores_what_it_could_not(bool fails)
    {
        _metrics.Enqueued("q", "k", 3);

        var first = _loop.StoreOnceAsync(CancellationToken.None);
        var last = _loop.StoreOnceAsync(CancellationToken.None);
        Assert.False(last.IsCompleted);
        if (fails)
        {
            Store.First.SetException(new StoreUnavailableException("down"));
            await Assert.ThrowsAsync<StoreUnavailableException>(() => first.WaitAsync(Limit));
        }
        else
        {
            Store.First.SetResult();
            await first.WaitAsync(Limit);
        }

        await last.WaitAsync(Limit);

        Assert.Equal(3, Assert.Single(Store.Counts).Totals.Enqueued);
    }

    /// <summary>A store of statistics only.</summary>
    [SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives a class from it.")]
    private class HeldStore : DispatchProxy
    {
        private int _calls;

        /// <summary>What the first call waits for.</summary>
        public TaskCompletionSource First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<StatisticsCount> Counts { get; } = [];

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
        {
            "get_Features" => MonitorFeatures.Statistics,
            nameof(IMonitorStore.AddStatisticsAsync) => new ValueTask(AddAsync((IReadOnlyList<StatisticsCount>)args![0]!)),
            _ => throw new NotSupportedException(targetMethod.Name),
        };

        private async Task AddAsync(IReadOnlyList<StatisticsCount> counts)
        {
            if (Interlocked.Increment(ref _calls) == 1)
            {
                await First.Task;
            }

            Counts.AddRange(counts);
        }
    }
}
