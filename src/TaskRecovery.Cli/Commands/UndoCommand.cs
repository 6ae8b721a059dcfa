using System.CommandLine;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>undo</c>: reverses a bulk operation.</summary>
internal static class UndoCommand
{
    public static Command Create(CommandFrame frame)
    {
        var id = new Argument<string>("OP") { Description = "The id of the operation." };
        var command = new Command("undo", "Reverses a bulk operation: cancelled entries wait again as before, "
            + "and retried ones that have not run are cancelled again.")
            {
                id,
            };
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            var operation = await OpsCommand.FindAsync(call, Values.OperationId(call.Get(id)!), cancellationToken).ConfigureAwait(false);
            var what = $"Undo operation {operation.Id} ({operation.Action}, {operation.Done} entries) in {call.Store.Where}";
            if (await call.AskAsync(what, cancellationToken).ConfigureAwait(false) is { } code)
            {
                return code;
            }

            var answer = await call.Store.Operator.UndoAsync(operation.Id, call.Audit, cancellationToken).ConfigureAwait(false);
            return answer is { Result: OperationResult.Done, Operation: { } undo }
                ? await OperationRun.RunAsync(call, undo.Id, undo.Expected, cancellationToken).ConfigureAwait(false)
                : throw OpsCommand.Refusal(operation.Id, answer, "only one that has ended or was stopped can be undone, and only once");
        });
    }
}
