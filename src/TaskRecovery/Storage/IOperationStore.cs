using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Bulk operations, the end of pauses, and the events of tools. Requests reach it checked.</summary>
/// <remarks>A step is one transaction: the changed entries, the result of each and the progress of the operation are stored together, so
/// that any process can continue after a crash. The conformance suite tests what each method promises.</remarks>
[Experimental("TASKRECOVERY001")]
public interface IOperationStore
{
    /// <summary>Resumes the queues and kinds whose pause has ended, and stores an event for each.</summary>
    /// <returns>The number of queues and kinds.</returns>
    ValueTask<int> ResumeDueAsync(CancellationToken cancellationToken);

    /// <summary>Stores an event about an action that was refused.</summary>
    ValueTask RecordAsync(QueueEventKind kind, string subject, AuditInfo audit, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueOperator.GetTimeAsync"/>
    ValueTask<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken);

    /// <summary>Returns the highest id of an entry; 0 if there is none.</summary>
    ValueTask<long> FindLastEntryAsync(CancellationToken cancellationToken);

    /// <summary>Stores an operation without starting it. It changes no entry with a higher id than
    /// <see cref="NewOperation.UpToId"/>.</summary>
    ValueTask<BulkOperation> PrepareAsync(NewOperation operation, AuditInfo audit, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueOperator.StartAsync"/>
    /// <param name="operationId">The operation.</param>
    /// <param name="audit">Who starts it.</param>
    /// <param name="expiry">How long it may have been prepared ago.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    ValueTask<OperationAnswer> StartAsync(long operationId, AuditInfo audit, TimeSpan expiry, CancellationToken cancellationToken);

    /// <summary>Does one step of at most 500 entries, unless another process is doing one.</summary>
    ValueTask<OperationStep> StepAsync(long operationId, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueOperator.StopAsync"/>
    ValueTask<OperationAnswer> StopAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueOperator.UndoAsync"/>
    ValueTask<OperationAnswer> UndoAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueOperator.FindOperationAsync"/>
    ValueTask<BulkOperation?> FindAsync(long operationId, EntryScope? scope, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueOperator.ListOperationsAsync"/>
    ValueTask<OperationPage> ListAsync(OperationQuery query, CancellationToken cancellationToken);

    /// <inheritdoc cref="IQueueOperator.ListOperationEntriesAsync"/>
    ValueTask<OperationEntryPage> ListEntriesAsync(OperationEntryQuery query, CancellationToken cancellationToken);

    /// <summary>Lists the ids of the running operations, oldest first.</summary>
    ValueTask<IReadOnlyList<long>> ListRunningAsync(CancellationToken cancellationToken);

    /// <summary>Removes a bounded number of operations that ended more than 30 days ago and whose undo does not run, or that were prepared
    /// more than a day ago and never started.</summary>
    ValueTask PurgeAsync(CancellationToken cancellationToken);
}
