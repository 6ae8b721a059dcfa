using System.CommandLine;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>undo</c>: reverses a bulk operation.</summary>
internal static class UndoCommand
{
    public static Command Create(CommandFrame frame)
    {
        var id = new Argument<string>("OP") { Description = "The id of the operation." };
        var command = new Command("undo", "Reverses a bulk operation: cancelled entries wait again as before, "
            + "and retried ones that have not run end again as they had ended.")
            {
                id,
            };
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            var operation = await OpsCommand.FindAsync(call, Values.OperationId(call.Get(id)!), cancellationToken).ConfigureAwait(false);
            await OperationChecks.RequireUndoableAsync(call, operation, cancellationToken).ConfigureAwait(false);
            var what = $"Undo operation {operation.Id} ({operation.Action}, {operation.Done} entries) in {call.Store.Where}";
            if (await call.AskAsync(what, cancellationToken).ConfigureAwait(false) is { } code)
            {
                return code;
            }

            return await OperationRun.UndoAsync(call, operation, cancellationToken).ConfigureAwait(false);
        });
    }
}
