using TaskRecovery.Hosting;
using TaskRecovery.Monitoring;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Monitoring;

/// <summary>The loop that continues bulk operations: one that fails keeps none of the others from continuing.</summary>
public sealed class OperationLoopTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder<OutageReporter> _log = new();
    private readonly NodeUnderTest _node;
    private readonly Operations _store = new();
    private readonly OperationLoop _loop;

    public OperationLoopTests()
    {
        _node = new NodeUnderTest(new FakeStore(), _time);
        _loop = new OperationLoop(
            _store, new Waker(), new OperationSignal(),
            new StoreLoopServices(_node.Gate, new FakeRole(), new OutageReporter(_time, _log), _time));
    }

    public void Dispose()
    {
        _loop.Dispose();
        _node.Node.Dispose();
    }

    [Fact]
    public async Task An_operation_that_fails_does_not_stop_the_ones_after_it()
    {
        _store.Failure = new TimeoutException("step 1");

        var failure = await Assert.ThrowsAsync<TimeoutException>(() => _loop.WorkOnceAsync(TestContext.Current.CancellationToken));

        Assert.Equal("step 1", failure.Message);
        Assert.Equal([1L, 2L, 3L], _store.Stepped);
    }

    [Fact]
    public async Task Without_a_database_no_further_operation_is_tried()
    {
        _store.Failure = new StoreUnavailableException("gone");

        await Assert.ThrowsAsync<StoreUnavailableException>(() => _loop.WorkOnceAsync(TestContext.Current.CancellationToken));

        Assert.Equal([1L], _store.Stepped);
    }

    private sealed class Waker : IClaimWaker
    {
        public void WakeAll()
        {
        }
    }

    private sealed class Operations : IOperationStore
    {
        public Exception? Failure { get; set; }

        public List<long> Stepped { get; } = [];

        public ValueTask<int> ResumeDueAsync(CancellationToken cancellationToken) => ValueTask.FromResult(0);

        public ValueTask<IReadOnlyList<long>> ListRunningAsync(CancellationToken cancellationToken)
            => ValueTask.FromResult<IReadOnlyList<long>>([1, 2, 3]);

        public ValueTask<OperationStep> StepAsync(long operationId, CancellationToken cancellationToken)
        {
            Stepped.Add(operationId);
            return operationId == 1 && Failure is { } failure
                ? ValueTask.FromException<OperationStep>(failure)
                : ValueTask.FromResult(new OperationStep(null, Worked: true));
        }

        public ValueTask RecordAsync(QueueEventKind kind, string subject, AuditInfo audit, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<BulkOperation> PrepareAsync(NewOperation operation, AuditInfo audit, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<OperationAnswer> StartAsync(
            long operationId, AuditInfo audit, TimeSpan expiry, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<OperationAnswer> StopAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<OperationAnswer> UndoAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<BulkOperation?> FindAsync(long operationId, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<BulkOperation>> ListAsync(long? before, int limit, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<OperationEntryPage> ListEntriesAsync(OperationEntryQuery query, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask PurgeAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
