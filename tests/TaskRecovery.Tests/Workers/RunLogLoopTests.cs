using Microsoft.Extensions.Logging;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;
using TaskRecovery.Workers;

namespace TaskRecovery.Tests.Workers;

/// <summary>The loop that stores the logs of runs.</summary>
public sealed class RunLogLoopTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly HeldStore _store = new();
    private readonly ManualTimeProvider _time = new();
    private readonly RunLogs _logs;
    private readonly RunLogLoop _loop;

    public RunLogLoopTests()
    {
        _logs = new RunLogs(_time);
        _loop = new RunLogLoop(
            _logs,
            new StoreLoopServices(
                new StartupGate(), new FakeRole(), new OutageReporter(_time, new LogRecorder<OutageReporter>()), _time),
            _store);
    }

    public void Dispose() => _loop.Dispose();

    /// <summary>The last round of a stop may come while a round of the loop is in progress.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_round_waits_for_the_one_in_progress_and_stores_what_it_could_not(bool fails)
    {
        var log = _logs.Begin(entryId: 1, fence: 2);
        log.Add(LogLevel.Information, "test", "a line");
        _logs.End(log);

        var first = _loop.StoreOnceAsync(CancellationToken.None);
        var last = _loop.StoreOnceAsync(CancellationToken.None);
        Assert.False(last.IsCompleted);
        if (fails)
        {
            _store.First.SetException(new StoreUnavailableException("down"));
            await Assert.ThrowsAsync<StoreUnavailableException>(() => first.WaitAsync(Limit));
        }
        else
        {
            _store.First.SetResult();
            await first.WaitAsync(Limit);
        }

        await last.WaitAsync(Limit);

        Assert.Equal("a line", Assert.Single(Assert.Single(_store.Parts).Lines).Message);
    }

    private sealed class HeldStore : IRunInfoStore
    {
        private int _calls;

        /// <summary>What the first call waits for.</summary>
        public TaskCompletionSource First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<RunLogPart> Parts { get; } = [];

        public ValueTask SaveReportAsync(
            Guid nodeId, long entryId, long fence, long done, long? total, string? message, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public async ValueTask AppendLogAsync(IReadOnlyList<RunLogPart> parts, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _calls) == 1)
            {
                await First.Task;
            }

            Parts.AddRange(parts);
        }
    }
}
