using System.CommandLine;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>cancel</c>: waiting entries end, and the handlers of running ones are asked to stop.</summary>
internal static class CancelCommand
{
    public static Command Create(CommandFrame frame)
    {
        var selection = new EntrySelection();
        var command = new Command("cancel", "Cancels waiting entries, and asks the handlers of running ones to stop.");
        selection.AddTo(command);
        return frame.Writes(
            command, (call, cancellationToken) => EntryAction.RunAsync(call, selection, BulkAction.Cancel, null, cancellationToken));
    }
}
