using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>kinds</c>: all kinds, and whether a living node has a worker for them.</summary>
internal static class KindsCommand
{
    public static Command Create(CommandFrame frame)
        => frame.Reads(new Command("kinds", "Lists the kinds: how many entries wait, and how many nodes can run them."), RunAsync);

    private static async Task<int> RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var kinds = await call.Store.Monitor.ListKindsAsync(cancellationToken).ConfigureAwait(false);
        if (call.AsJson)
        {
            call.Json(kinds, kinds);
            return ExitCodes.Done;
        }

        var table = new TextTable("kind", "waiting", "oldest", "nodes", "pause");
        foreach (var kind in kinds)
        {
            table.Add(
                kind.Name, kind.Waiting.ToString(), Format.Duration(kind.OldestDue), Format.Number(kind.Nodes), Format.Pause(kind.Pause));
        }

        call.Printer.Table(table);
        return ExitCodes.Done;
    }
}
