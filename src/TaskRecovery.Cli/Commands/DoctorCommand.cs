using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>doctor</c>: what makes the queue slow, unsafe or unusable, each with its repair.</summary>
internal static class DoctorCommand
{
    public static Command Create(CommandFrame frame)
    {
        var retention = new Option<string?>("--retention")
        {
            Description = "The longest time for which the application keeps ended entries. Default: 7d.",
        };
        var command = new Command(
            "doctor", "Examines the database, its server and the nodes. Exits with 1 if there is something to repair.") { retention };
        return frame.Reads(
            command,
            async (call, cancellationToken) =>
            {
                call.Store.RequireFile();
                var limits = new DoctorLimits();
                if (Values.Span("--retention", call.Get(retention)) is { } kept)
                {
                    limits = limits with { Retention = kept + TimeSpan.FromDays(1) };
                }

                var (found, lost) = await ExamineAsync(call, limits, cancellationToken).ConfigureAwait(false);
                var code = Write(call, found);
                return lost is null ? code : throw new CommandException(ExitCodes.NotReachable, lost.Message);
            },
            needsTables: false);
    }

    private static Task<(IReadOnlyList<StoreFinding> Found, Exception? Lost)> ExamineAsync(
        CommandCall call, DoctorLimits limits, CancellationToken cancellationToken)
        => DoctorCheck.CollectAsync(
        [
            _ => DoctorCheck.TryAsync(
                MigrationFindings.Check,
                async () => MigrationFindings.Of(await call.Store.Migrator.GetStatusAsync(cancellationToken).ConfigureAwait(false))),
            async _ => await call.Store.Doctor.ExamineAsync(limits, cancellationToken).ConfigureAwait(false),
            async found => found.Any(static one => one is { Check: MigrationFindings.Check, Level: FindingLevel.Problem })
                ? []
                : await QueueFindings.ReadAsync(call.Store, cancellationToken).ConfigureAwait(false),
        ]);

    private static int Write(CommandCall call, IReadOnlyList<StoreFinding> findings)
    {
        if (call.AsJson)
        {
            call.Json(findings, findings);
        }
        else
        {
            foreach (var finding in findings)
            {
                var repair = finding.Repair is { } what ? $" Repair: {what}" : "";
                call.Printer.Line($"{finding.Level.ToString().ToLowerInvariant(),-9}{finding.Check}: {finding.Text}{repair}");
            }
        }

        var count = findings.Count(static finding => finding.Level != FindingLevel.Ok);
        if (call.Format != OutputFormat.Json)
        {
            call.Printer.Note(count == 0 ? "Nothing to repair." : $"{count} to repair.");
        }

        return count == 0 ? ExitCodes.Done : ExitCodes.Found;
    }
}
