using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Import;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>import</c>: creates what waits in the tables of another system, and leaves those as they are.</summary>
internal sealed class ImportCommand
{
    private const int MostAttempts = 1_000;
    private const string DryRunFirst = "Without --yes it only says what it would create.";

    private readonly Option<string> _from = new("--from")
    {
        Description = "The database of the other system: a connection string, or an environment variable that has one.",
        Required = true,
    };

    private readonly Option<string[]> _map = new("--map")
    {
        Description = "A type and its kind, as in 'Shop.Mailer.Send=mail.send(orderId)', or a file of JSON with them. May be repeated.",
    };

    private readonly Option<int?> _maxAttempts = new("--max-attempts")
    {
        Description = "How many attempts each entry and job has, at most 1000. "
            + "Default: 10; with a trigger of Quartz 1, and the retries of its own policy.",
    };

    private readonly Option<string?> _source = new("--source")
    {
        Description = "The name of the other system in the record of what was imported. Default: its database and schema.",
    };

    private readonly Option<bool> _whileRunning = new("--while-running")
    {
        Description = "Import although the other system still runs, which may run what is imported there too.",
    };

    private ImportCommand()
    {
    }

    public static Command Create(CommandFrame frame)
        => new("import", $"Imports the jobs of another system, of which nothing is changed. {DryRunFirst}")
        {
            CreateHangfire(frame),
            CreateQuartz(frame),
        };

    private static Command CreateHangfire(CommandFrame frame)
    {
        var import = new ImportCommand();
        var schema = new Option<string>("--from-schema")
        {
            Description = "The schema of the tables of Hangfire. Default: hangfire.",
            DefaultValueFactory = static _ => "hangfire",
        };
        var command = new Command(
            "hangfire", $"Imports the enqueued, scheduled and recurring jobs of Hangfire.PostgreSql 1.21. {DryRunFirst}") { schema };
        return import.AddTo(frame, command, (call, database, map) =>
            new HangfireSource(database, call.Get(schema)!, call.Get(import._source), map));
    }

    private static Command CreateQuartz(CommandFrame frame)
    {
        var import = new ImportCommand();
        var schema = new Option<string>("--from-schema")
        {
            Description = "The schema of the tables of Quartz. Default: public.",
            DefaultValueFactory = static _ => "public",
        };
        var prefix = new Option<string>("--prefix")
        {
            Description = "The prefix of the tables of Quartz. Default: qrtz_.",
            DefaultValueFactory = static _ => "qrtz_",
        };
        var scheduler = new Option<string?>("--scheduler")
        {
            Description = "The name of the scheduler. It may be omitted if the tables have only one.",
        };
        var command = new Command(
            "quartz", $"Imports the cron and simple triggers of the PostgreSQL job store of Quartz 4.7. {DryRunFirst}")
        {
            schema, prefix, scheduler,
        };
        return import.AddTo(frame, command, (call, database, map) =>
        {
            var tables = new QuartzTables(call.Get(schema)!, call.Get(prefix)!.ToLowerInvariant(), call.Get(scheduler));
            return new QuartzSource(database, tables, call.Get(import._source), map);
        });
    }

    private Command AddTo(CommandFrame frame, Command command, Func<CommandCall, SourceDatabase, ImportMap, IImportSource> create)
    {
        foreach (var option in (Option[])[_from, _map, _maxAttempts, _source, _whileRunning])
        {
            command.Options.Add(option);
        }

        return frame.Writes(
            command,
            async (call, cancellationToken) =>
            {
                var maxAttempts = call.Get(_maxAttempts);
                if (maxAttempts is < 1 or > MostAttempts)
                {
                    throw CommandException.Usage($"--max-attempts is '{maxAttempts}': use 1 to {MostAttempts}.");
                }

                var map = ImportMap.Read(call.Get(_map) ?? []);
                var database = await SourceDatabase.OpenAsync(call.Get(_from)!, call.Terminal, cancellationToken).ConfigureAwait(false);
                var source = create(call, database, map);
                await using (source.ConfigureAwait(false))
                {
                    await source.CheckAsync(cancellationToken).ConfigureAwait(false);
                    await CheckStoppedAsync(call, source, cancellationToken).ConfigureAwait(false);
                    return await RunAsync(call, source, maxAttempts, cancellationToken).ConfigureAwait(false);
                }
            },
            needsYes: true);
    }

    private async Task CheckStoppedAsync(CommandCall call, IImportSource source, CancellationToken cancellationToken)
    {
        if (call.Get(_whileRunning) || await source.FindRunningAsync(cancellationToken).ConfigureAwait(false) is not { } sign)
        {
            return;
        }

        var problem = $"The other system seems to run: {sign}. It would run what is imported too: stop it first, or add --while-running.";
        if (!call.IsDryRun)
        {
            throw new CommandException(ExitCodes.Found, $"{problem} Nothing was imported.");
        }

        call.Printer.Note(problem);
    }

    private static async Task<int> RunAsync(
        CommandCall call, IImportSource source, int? maxAttempts, CancellationToken cancellationToken)
    {
        var records = call.Store.OpenImportRecords();
        await using (records.ConfigureAwait(false))
        {
            var result = await new Importer(call, source, records, maxAttempts).RunAsync(cancellationToken).ConfigureAwait(false);
            if (call.AsJson)
            {
                call.Json(result);
            }

            call.Printer.Note(
                $"{Format.Number(result.Created)} {(call.IsDryRun ? "would be created" : "created")}, "
                + $"{Format.Number(result.Existing)} were here already, {Format.Number(result.Refused)} can't be imported."
                + (call.IsDryRun ? " Nothing was changed: add --yes to import." : ""));
            return result.Refused > 0 ? ExitCodes.PartlyDone : ExitCodes.Done;
        }
    }
}
