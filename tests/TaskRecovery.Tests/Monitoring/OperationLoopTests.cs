using TaskRecovery.Monitoring;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Monitoring;

/// <summary>One bulk operation whose step fails does not stop the others.</summary>
public sealed class OperationLoopTests : IDisposable
{
    private readonly RecoveryUnderTest _recovery = new();
    private readonly LogRecorder<OperationLoop> _log = new();
    private readonly Steps _store = new();
    private readonly OperationLoop _loop;

    public OperationLoopTests() => _loop = new OperationLoop(_store, _recovery.Waker, new OperationSignal(), _recovery.Loops, _log);

    public void Dispose()
    {
        _loop.Dispose();
        _recovery.Dispose();
    }

    [Fact]
    public async Task A_failing_operation_is_reported_once_and_the_others_continue()
    {
        _store.Results[1] = new TaskRecoveryException("unreadable");
        _store.Results[2] = null;

        var first = await _loop.WorkOnceAsync(TestContext.Current.CancellationToken);
        await _loop.WorkOnceAsync(TestContext.Current.CancellationToken);

        Assert.True(first);
        Assert.Equal([1, 2, 1, 2], _store.Asked);
        Assert.Equal([3090], _log.Ids);
        Assert.Contains("operation 1 failed", _log.Texts[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_operation_that_fails_again_after_a_success_is_reported_again()
    {
        foreach (var result in new Exception?[] { new InvalidOperationException("a"), null, new InvalidOperationException("b") })
        {
            _store.Results[1] = result;
            await _loop.WorkOnceAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal([3090, 3090], _log.Ids);
    }

    [Fact]
    public async Task An_operation_that_waits_for_a_lock_is_reported_once_until_it_makes_progress()
    {
        _store.Results[1] = null;
        foreach (var waits in new[] { true, true, false, true })
        {
            _store.WaitsForLock = waits;
            Assert.Equal(!waits, await _loop.WorkOnceAsync(TestContext.Current.CancellationToken));
        }

        Assert.Equal([3091, 3091], _log.Ids);
    }

    [Fact]
    public async Task A_store_that_is_not_available_is_no_fault_of_an_operation()
    {
        _store.Results[1] = _store.Results[2] = new StoreUnavailableException("away");

        await Assert.ThrowsAsync<StoreUnavailableException>(() => _loop.WorkOnceAsync(TestContext.Current.CancellationToken));
        _store.Results[2] = null;
        await _loop.WorkOnceAsync(TestContext.Current.CancellationToken);

        Assert.Equal([3090], _log.Ids);
    }

    /// <summary>Running operations, each with what its steps do.</summary>
    private sealed class Steps : IOperationStore
    {
        public SortedDictionary<long, Exception?> Results { get; } = [];

        public List<long> Asked { get; } = [];

        public bool WaitsForLock { get; set; }

        public ValueTask<IReadOnlyList<long>> ListRunningAsync(CancellationToken cancellationToken)
            => ValueTask.FromResult<IReadOnlyList<long>>([.. Results.Keys]);

        public ValueTask<OperationStep> StepAsync(long operationId, CancellationToken cancellationToken)
        {
            Asked.Add(operationId);
            return Results[operationId] is { } error
                ? ValueTask.FromException<OperationStep>(error)
                : ValueTask.FromResult(new OperationStep(null, Worked: !WaitsForLock) { WaitsForLock = WaitsForLock });
        }

        public ValueTask<int> ResumeDueAsync(CancellationToken cancellationToken) => ValueTask.FromResult(0);

        public ValueTask PurgeAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask RecordAsync(QueueEventKind kind, string subject, AuditInfo audit, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<long> FindLastEntryAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<BulkOperation> PrepareAsync(NewOperation operation, AuditInfo audit, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<OperationAnswer> StartAsync(
            long operationId, AuditInfo audit, TimeSpan expiry, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<OperationAnswer> StopAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<OperationAnswer> UndoAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<BulkOperation?> FindAsync(long operationId, EntryScope? scope, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<OperationPage> ListAsync(OperationQuery query, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public ValueTask<OperationEntryPage> ListEntriesAsync(OperationEntryQuery query, CancellationToken cancellationToken)
            => throw new NotSupportedException();
    }
}
