using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>migrate</c>: creates or updates the tables.</summary>
internal static class MigrateCommand
{
    public static Command Create(CommandFrame frame)
    {
        var check =
            new Option<bool>("--check") { Description = "Change nothing: list the missing migrations, and exit with 1 if there are any." };
        return frame.Writes(
            new Command("migrate", "Creates or updates the tables.") { check },
            (call, cancellationToken) => call.Get(check) ? CheckAsync(call, cancellationToken) : MigrateAsync(call, cancellationToken),
            needsTables: false,
            onlyReads: parsed => parsed.GetValue(check));
    }

    private static async Task<int> CheckAsync(CommandCall call, CancellationToken cancellationToken)
    {
        call.Store.RequireFile();
        var pending = await call.Store.Migrator.FindMissingAsync(cancellationToken).ConfigureAwait(false);
        Write(call, new MigrationResult([], pending));
        return pending.Count == 0 ? ExitCodes.Done : ExitCodes.Found;
    }

    private static async Task<int> MigrateAsync(CommandCall call, CancellationToken cancellationToken)
    {
        if (!await call.ConfirmAsync($"Migrate the tables in {call.Store.Where}?", cancellationToken).ConfigureAwait(false))
        {
            return ExitCodes.Interrupted;
        }

        Write(call, new MigrationResult(await call.Store.Migrator.MigrateAsync(cancellationToken).ConfigureAwait(false), []));
        return ExitCodes.Done;
    }

    private static void Write(CommandCall call, MigrationResult result)
    {
        if (call.AsJson)
        {
            call.Printer.Json(result, CliJson.Default.MigrationResult);
            return;
        }

        foreach (var name in result.Applied)
        {
            call.Printer.Line($"applied {name}");
        }

        foreach (var name in result.Pending)
        {
            call.Printer.Line($"missing {name}");
        }

        if (result is { Applied.Count: 0, Pending.Count: 0 })
        {
            call.Printer.Note("The tables are those of this version.");
        }
    }
}
