using System.CommandLine;
using System.Globalization;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>recover</c>: recovers the work of dead nodes while no node runs that would do it.</summary>
internal static class RecoverCommand
{
    public static Command Create(CommandFrame frame)
    {
        var maxCrashes = new Option<int?>("--max-crashes")
        {
            Description = "The application's TaskRecoveryOptions.Recovery.MaxCrashes: an entry with more crashes is failed. Default: 3.",
        };
        var maxAge = new Option<string?>("--max-age")
        {
            Description = "The application's TaskRecoveryOptions.Recovery.MaxRecoveryAge: an older task is closed. Default: 7d.",
        };
        var command = new Command("recover", "Recovers the work of nodes that were declared dead, which every running node does by itself.")
        {
            maxCrashes, maxAge,
        };
        return frame.Writes(command, RunAsync, configure: (parsed, options) =>
        {
            options.Recovery.MaxCrashes = parsed.GetValue(maxCrashes) ?? options.Recovery.MaxCrashes;
            options.Recovery.MaxRecoveryAge = Values.Span("--max-age", parsed.GetValue(maxAge)) ?? options.Recovery.MaxRecoveryAge;
        });
    }

    private static async Task<int> RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var dead = await ListDeadAsync(call, cancellationToken).ConfigureAwait(false);
        var entries = dead.Sum(static node => node.Entries);
        var names = dead.Length > 0 ? $" ({string.Join(", ", dead.Select(static node => node.Name))})" : "";
        var what = string.Create(
            CultureInfo.InvariantCulture, $"Recover {entries} entries of {dead.Length} dead nodes{names} in {call.Store.Where}");
        if (await call.AskAsync(what, cancellationToken).ConfigureAwait(false) is { } code)
        {
            return code;
        }

        var report = await call.SendAsync(one => one.RecoverAsync(call.Audit, cancellationToken)).ConfigureAwait(false);
        Write(call, report);
        if (report.Failure is StoreConfigurationException unusable)
        {
            throw new CommandException(ExitCodes.NotUsable, unusable.Message);
        }

        if (report.Failure is { } error)
        {
            call.Printer.Note($"{error.Message} The rest is done. Repeat the command to recover the work of this node.");
            return ExitCodes.PartlyDone;
        }

        var left = await ListDeadAsync(call, cancellationToken).ConfigureAwait(false);
        if (left.Length == 0)
        {
            return ExitCodes.Done;
        }

        // A sweep skips an entry that another transaction holds, or that it is about to end.
        call.Printer.Note(
            $"Entries of dead nodes are left ({string.Join(", ", left.Select(static node => node.Name))}), because other transactions "
            + "hold them. Repeat the command when these have ended.");
        return ExitCodes.PartlyDone;
    }

    private static async Task<NodeSummary[]> ListDeadAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var nodes = await call.Store.Monitor.ListNodesAsync(cancellationToken).ConfigureAwait(false);
        return [.. nodes.Where(static node => node is { DeadAt: not null, Entries: > 0 })];
    }

    private static void Write(CommandCall call, RecoveryReport report)
    {
        if (call.AsJson)
        {
            call.Json(report, report.Items);
            return;
        }

        foreach (var item in report.Items)
        {
            var subject = item.EntryId is { } entry ? $"entry {Format.Number(entry)}" : $"task {item.TaskId}";
            var reason = item.Reason is { } why ? $" ({why})" : "";
            call.Printer.Line(
                $"{subject}: {item.Action}{reason}, kind {Format.Text(item.Kind)}, node {Format.Text(item.Node)}, {item.Crashes} crashes");
        }

        call.Printer.Note(string.Create(CultureInfo.InvariantCulture, $"{report.Recovered} recovered, {report.Closed} closed."));
    }
}
