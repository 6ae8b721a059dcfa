using TaskRecovery.Cli.Errors;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary>Says for a dry run whether a command about a bulk operation would be refused, as the store says it otherwise.</summary>
internal static class OperationChecks
{
    /// <summary>Which operations can be undone.</summary>
    public const string Undoable = "only one that has ended or was stopped can be undone, once, or again if its undo was stopped";

    /// <summary>Which operations can be stopped.</summary>
    public const string Stoppable = "only a running one can be stopped";

    /// <summary>Which operations can be continued.</summary>
    public const string Continuable = "only a running one can be continued";

    /// <summary>Throws if the call is a dry run and the operation does not run.</summary>
    public static void RequireRunning(CommandCall call, BulkOperation operation, string wrongState)
    {
        if (call.IsDryRun && operation.State != OperationState.Running)
        {
            throw Refusal(operation, wrongState);
        }
    }

    /// <summary>Throws if the call is a dry run and the operation can't be undone.</summary>
    public static async Task RequireUndoableAsync(CommandCall call, BulkOperation operation, CancellationToken cancellationToken)
    {
        if (!call.IsDryRun)
        {
            return;
        }

        var last = operation.UndoneBy is { } by
            ? await call.Store.Operator.FindOperationAsync(by, scope: null, cancellationToken).ConfigureAwait(false)
            : null;
        if (!MayUndo(operation, last?.State, TimeProvider.System.GetUtcNow()))
        {
            throw Refusal(operation, Undoable);
        }
    }

    /// <summary>Whether an operation can be undone.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="lastUndo">The state of the operation that reverses it; <see langword="null"/> if there is none.</param>
    /// <param name="now">The time now.</param>
    public static bool MayUndo(BulkOperation operation, OperationState? lastUndo, DateTimeOffset now)
        => OperationVerdicts.Undo(operation, isKept: now - operation.EndedAt < OperationVerdicts.Kept, lastUndo) == OperationResult.Done;

    /// <summary>The exit code and the text for an operation that is in the wrong state.</summary>
    public static CommandException Refusal(BulkOperation operation, string wrongState)
        => OpsCommand.Refusal(operation.Id, new OperationAnswer(OperationResult.WrongState, operation), wrongState);
}
