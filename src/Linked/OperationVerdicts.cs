namespace TaskRecovery.Storage;

/// <summary>Whether a bulk operation may be started, stopped or undone. Both stores ask under the lock of the operation; the command line
/// asks for a dry run.</summary>
internal static class OperationVerdicts
{
    /// <summary>How long an operation is kept after its end, with what is needed to reverse it.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>Whether a prepared operation starts.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="actor">Who starts it: only the actor of the preview may.</param>
    /// <param name="isFresh">Whether the preview has not expired.</param>
    /// <param name="isExecutable">Whether it is known what it does, and to which entries.</param>
    public static OperationResult Start(BulkOperation operation, string actor, bool isFresh, bool isExecutable)
        => operation.State != OperationState.Prepared || !isExecutable ? OperationResult.WrongState
            : !string.Equals(operation.Audit.Actor, actor, StringComparison.Ordinal) ? OperationResult.OtherActor
            : isFresh ? OperationResult.Done : OperationResult.Expired;

    /// <summary>Whether an operation stops.</summary>
    public static OperationResult Stop(BulkOperation operation)
        => operation.State == OperationState.Running ? OperationResult.Done : OperationResult.WrongState;

    /// <summary>Whether an operation is undone: after it has ended or was stopped, and not if it is an undo itself. Again only if the undo
    /// before was stopped; the new one continues where that one stopped.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="isKept">Whether it ended within <see cref="Kept"/>. After that, it may be removed at any moment.</param>
    /// <param name="lastUndo">The state of the operation that reverses it; <see langword="null"/> if there is none.</param>
    public static OperationResult Undo(BulkOperation operation, bool isKept, OperationState? lastUndo)
        => isKept && operation.State is OperationState.Ended or OperationState.Stopped
            && operation.Action is BulkAction.Retry or BulkAction.Cancel
            && (operation.UndoneBy is null || lastUndo == OperationState.Stopped)
            ? OperationResult.Done
            : OperationResult.WrongState;
}
