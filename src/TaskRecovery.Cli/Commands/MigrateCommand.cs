using System.CommandLine;
using System.Globalization;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>migrate</c>: creates or updates the tables, checks them, or writes the statements that would.</summary>
internal sealed class MigrateCommand
{
    private readonly Option<bool> _check = new("--check")
    {
        Description = "Change nothing: list the missing migrations, and exit with 1 if there are any.",
    };

    private readonly Option<bool> _script = new("--script")
    {
        Description = "Change nothing: write the statements, for psql -1 or sqlite3. The database is not opened.",
    };

    private readonly Option<int?> _from = new("--from")
    {
        Description = "The number of the first migration of the script. Default: 1, for a database without tables.",
    };

    private readonly Option<string?> _output =
        new("--output", "-o") { Description = "The file to write the script to. Default: standard output." };

    private MigrateCommand()
    {
    }

    public static Command Create(CommandFrame frame)
    {
        var migrate = new MigrateCommand();
        return frame.Writes(
            new Command("migrate", "Creates or updates the tables.") { migrate._check, migrate._script, migrate._from, migrate._output },
            migrate.RunAsync,
            needsTables: false,
            onlyReads: parsed => parsed.GetValue(migrate._check) || parsed.GetValue(migrate._script));
    }

    private Task<int> RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var (check, script) = (call.Get(_check), call.Get(_script));
        if (check && script)
        {
            throw CommandException.Usage("--check and --script exclude each other: use one of them.");
        }

        if (!script && (call.Get(_from) is not null || call.Get(_output) is not null))
        {
            throw CommandException.Usage("--from and --output belong to --script: add it.");
        }

        return check ? CheckAsync(call, cancellationToken)
            : script ? WriteScriptAsync(call, cancellationToken)
            : MigrateAsync(call, cancellationToken);
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
        if (call.IsDryRun)
        {
            Write(call, new MigrationResult([], await call.Store.Migrator.FindMissingAsync(cancellationToken).ConfigureAwait(false)));
            return ExitCodes.Done;
        }

        if (await call.AskAsync($"Migrate the tables in {call.Store.Where}", cancellationToken).ConfigureAwait(false) is { } code)
        {
            return code;
        }

        Write(call, new MigrationResult(await call.Store.Migrator.MigrateAsync(cancellationToken).ConfigureAwait(false), []));
        return ExitCodes.Done;
    }

    private async Task<int> WriteScriptAsync(CommandCall call, CancellationToken cancellationToken)
    {
        if (call.AsJson)
        {
            throw CommandException.Usage("--script writes statements: omit --json and --jsonl.");
        }

        var from = call.Get(_from) ?? 1;
        string text;
        try
        {
            text = await call.Store.Migrator.GetScriptAsync(from, cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentOutOfRangeException exception)
        {
            throw CommandException.Usage(
                string.Create(CultureInfo.InvariantCulture, $"--from is '{from}'. {Failure.Of(exception)!.Message}"));
        }

        if (call.Get(_output) is not { } file)
        {
            call.Printer.Raw(text);
            return ExitCodes.Done;
        }

        try
        {
            await File.WriteAllTextAsync(file, text, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw CommandException.Usage($"--output is '{file}', which can't be written: {exception.Message}");
        }

        call.Printer.Note($"Written to '{file}'.");
        return ExitCodes.Done;
    }

    private static void Write(CommandCall call, MigrationResult result)
    {
        if (call.AsJson)
        {
            call.Json(result);
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
