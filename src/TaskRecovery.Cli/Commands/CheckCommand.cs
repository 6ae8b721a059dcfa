using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>check</c>: the invariant of the database.</summary>
internal static class CheckCommand
{
    public static Command Create(CommandFrame frame)
        => frame.Reads(
            new Command("check", "Checks the invariant: every entry is in exactly one place. Exits with 1 if it is violated."), RunAsync);

    private static async Task<int> RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var violations = await call.Store.Recovery.CheckInvariantsAsync(cancellationToken).ConfigureAwait(false);
        if (call.AsJson)
        {
            call.Json(new CheckResult(violations));
        }
        else
        {
            foreach (var violation in violations)
            {
                call.Printer.Line(violation);
            }
        }

        call.Printer.Note(violations.Count == 0 ? "The invariant holds." : $"{violations.Count} violations.");
        return violations.Count == 0 ? ExitCodes.Done : ExitCodes.Found;
    }
}
