namespace TaskRecovery.Storage;

/// <summary>Whether a bulk operation may be started, stopped or undone. Both stores ask under the lock of the operation.</summary>
internal static class OperationVerdicts
{
    /// <summary>Whether a prepared operation starts.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="actor">Who starts it: only the actor of the preview may.</param>
    /// <param name="isFresh">Whether the preview has not expired.</param>
    /// <param name="isReadable">Whether what it selects could be read.</param>
    public static OperationResult Start(BulkOperation operation, string actor, bool isFresh, bool isReadable)
        => operation.State != OperationState.Prepared || !isReadable ? OperationResult.WrongState
            : !string.Equals(operation.Audit.Actor, actor, StringComparison.Ordinal) ? OperationResult.OtherActor
            : isFresh ? OperationResult.Done : OperationResult.Expired;

    /// <summary>Whether an operation stops.</summary>
    public static OperationResult Stop(BulkOperation operation)
        => operation.State == OperationState.Running ? OperationResult.Done : OperationResult.WrongState;

    /// <summary>Whether an operation is undone: once, after it has ended or was stopped, and not if it is an undo itself.</summary>
    public static OperationResult Undo(BulkOperation operation)
        => operation is { State: OperationState.Ended or OperationState.Stopped, UndoneBy: null, Action: not BulkAction.Undo }
            ? OperationResult.Done
            : OperationResult.WrongState;
}
