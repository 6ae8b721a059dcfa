using TaskRecovery.Storage;

namespace TaskRecovery.Monitoring;

/// <summary>Stands in for bulk operations in a store that has none.</summary>
internal sealed class NoOperationStore(TimeProvider time) : IOperationStore
{
    public ValueTask<int> ResumeDueAsync(CancellationToken cancellationToken) => ValueTask.FromResult(0);

    public ValueTask RecordAsync(QueueEventKind kind, string subject, AuditInfo audit, CancellationToken cancellationToken) => throw None();

    // A pause needs no bulk operations, and its end is counted from this time.
    public ValueTask<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken) => ValueTask.FromResult(time.GetUtcNow());

    public ValueTask<long> FindLastEntryAsync(CancellationToken cancellationToken) => throw None();

    public ValueTask<BulkOperation> PrepareAsync(NewOperation operation, AuditInfo audit, CancellationToken cancellationToken)
        => throw None();

    public ValueTask<OperationAnswer> StartAsync(long operationId, AuditInfo audit, TimeSpan expiry, CancellationToken cancellationToken)
        => throw None();

    public ValueTask<OperationStep> StepAsync(long operationId, CancellationToken cancellationToken) => throw None();

    public ValueTask<OperationAnswer> StopAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken) => throw None();

    public ValueTask<OperationAnswer> UndoAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken) => throw None();

    public ValueTask<BulkOperation?> FindAsync(long operationId, EntryScope? scope, CancellationToken cancellationToken) => throw None();

    public ValueTask<OperationPage> ListAsync(OperationQuery query, CancellationToken cancellationToken) => throw None();

    public ValueTask<OperationEntryPage> ListEntriesAsync(OperationEntryQuery query, CancellationToken cancellationToken) => throw None();

    public ValueTask<IReadOnlyList<long>> ListRunningAsync(CancellationToken cancellationToken)
        => ValueTask.FromResult<IReadOnlyList<long>>([]);

    public ValueTask PurgeAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    private static NotSupportedException None() => new("The store has no bulk operations: it registers no IOperationStore.");
}
