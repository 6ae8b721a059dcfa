using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>ops</c>: the bulk operations. Each can be shown, stopped and continued.</summary>
internal static class OpsCommand
{
    public static Command Create(CommandFrame frame)
    {
        var command = ListedBy(frame, new Command("ops", "Lists bulk operations, newest first; shows, stops and continues them."));
        command.Subcommands.Add(ListedBy(frame, new Command("list", "Lists bulk operations, newest first.")));
        command.Subcommands.Add(CreateShow(frame));
        command.Subcommands.Add(CreateStop(frame));
        command.Subcommands.Add(CreateContinue(frame));
        return command;
    }

    /// <summary>The exit code and the text for a command about an operation that was not carried out.</summary>
    public static CommandException Refusal(long id, OperationAnswer answer, string wrongState) => answer.Result switch
    {
        OperationResult.NotFound => Missing(id),
        OperationResult.WrongState => new CommandException(
            ExitCodes.Found, $"Operation {id} is {StateOf(answer.Operation)}: {wrongState}. Nothing was changed."),
        _ => new CommandException(ExitCodes.Found, $"Operation {id}: {answer.Result}. Nothing was changed."),
    };

    /// <summary>Finds an operation.</summary>
    public static async Task<BulkOperation> FindAsync(CommandCall call, long id, CancellationToken cancellationToken)
        => await call.Store.Operator.FindOperationAsync(id, scope: null, cancellationToken).ConfigureAwait(false) ?? throw Missing(id);

    private static Command ListedBy(CommandFrame frame, Command command)
    {
        var limit = new Option<int?>("--limit") { Description = "The most operations to list. Default: 100, at most 1000." };
        var before = new Option<long?>("--before") { Description = "Only operations with a smaller id, to look further." };
        command.Options.Add(limit);
        command.Options.Add(before);
        return frame.Reads(command, async (call, cancellationToken) =>
        {
            var query = new OperationQuery { Before = call.Get(before), Limit = call.Get(limit) ?? new OperationQuery().Limit };
            var page = await call.Store.Operator.ListOperationsAsync(query, cancellationToken).ConfigureAwait(false);
            if (call.AsJson)
            {
                call.Json(page, page.Operations);
            }
            else
            {
                call.Printer.Table(TableOf(page.Operations));
            }

            if (call.Format != OutputFormat.Json)
            {
                call.Printer.Note(
                    page.NextBefore is { } next ? $"Look further with --before {Format.Number(next)}." : "There are no others.");
            }

            return ExitCodes.Done;
        });
    }

    private static Command CreateShow(CommandFrame frame)
    {
        var id = new Argument<string>("OP") { Description = "The id of the operation." };
        var all =
            new Option<bool>("--entries") { Description = "List every entry that it has processed, not only those that were refused." };
        var command = new Command("show", "Shows a bulk operation, and the entries that it could not change.") { id, all };
        return frame.Reads(command, async (call, cancellationToken) =>
        {
            var operation = await FindAsync(call, Values.OperationId(call.Get(id)!), cancellationToken).ConfigureAwait(false);
            var query = new OperationEntryQuery { OperationId = operation.Id, OnlyRefused = !call.Get(all) };
            var entries = await OperationRun.ListEntriesAsync(call, query, cancellationToken).ConfigureAwait(false);
            if (call.AsJson)
            {
                call.Json(new OperationDetails(operation, entries));
                return ExitCodes.Done;
            }

            call.Printer.Table(TableOf([operation]));
            if (operation.Query is { } selection && EntryFilters.Describe(selection) is { Length: > 0 } conditions)
            {
                call.Printer.Line($"selects: {conditions}");
            }

            if (RetryText.Of(operation.Retry) is { } how)
            {
                call.Printer.Line($"retries: {how}");
            }

            foreach (var entry in entries.Where(static entry => entry.Result == OperatorResult.Done))
            {
                call.Printer.Line($"entry {Format.Number(entry.EntryId)}: done");
            }

            OperationRun.WriteRefused(call.Printer, entries);
            return ExitCodes.Done;
        });
    }

    private static Command CreateStop(CommandFrame frame)
    {
        var id = new Argument<string>("OP") { Description = "The id of the operation." };
        var command =
            new Command("stop", "Stops a running bulk operation after its current step. What it has changed stays changed.") { id };
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            var operation = await FindAsync(call, Values.OperationId(call.Get(id)!), cancellationToken).ConfigureAwait(false);
            OperationChecks.RequireRunning(call, operation, OperationChecks.Stoppable);
            var what =
                $"Stop operation {operation.Id} ({operation.Action}, {operation.Done} of {operation.Expected} done) in {call.Store.Where}";
            if (await call.AskAsync(what, cancellationToken).ConfigureAwait(false) is { } code)
            {
                return code;
            }

            var answer = await call.SendAsync(one => one.StopAsync(operation.Id, call.Audit, cancellationToken)).ConfigureAwait(false);
            if (answer is not { Result: OperationResult.Done, Operation: { } stopped })
            {
                throw Refusal(operation.Id, answer, OperationChecks.Stoppable);
            }

            if (call.AsJson)
            {
                call.Json(new OperationDetails(stopped, []));
            }
            else
            {
                call.Printer.Line(
                    $"operation {Format.Number(stopped.Id)}: {stopped.State}, {stopped.Done} done, {stopped.Refused} refused");
            }

            return ExitCodes.Done;
        });
    }

    private static Command CreateContinue(CommandFrame frame)
    {
        var id = new Argument<string>("OP") { Description = "The id of the operation." };
        var command = new Command(
            "continue", "Carries out the rest of a running bulk operation where no node does, such as after a lost connection.") { id };
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            var operation = await FindAsync(call, Values.OperationId(call.Get(id)!), cancellationToken).ConfigureAwait(false);
            OperationChecks.RequireRunning(call, operation, OperationChecks.Continuable);
            var what = $"Continue operation {operation.Id} ({operation.Action}, {operation.Done} of {operation.Expected} done) "
                + $"in {call.Store.Where}";
            if (await call.AskAsync(what, cancellationToken).ConfigureAwait(false) is { } code)
            {
                return code;
            }

            return operation.State == OperationState.Running
                ? await OperationRun.RunAsync(call, operation.Id, operation.Expected, cancellationToken).ConfigureAwait(false)
                : throw OperationChecks.Refusal(operation, OperationChecks.Continuable);
        });
    }

    private static TextTable TableOf(IEnumerable<BulkOperation> operations)
    {
        var table = new TextTable("id", "action", "state", "expected", "done", "refused", "started", "ended", "by", "reason", "undo");
        foreach (var operation in operations)
        {
            table.Add(
                Format.Number(operation.Id),
                operation.Action.ToString(),
                operation.State.ToString(),
                operation.Expected.ToString(),
                Format.Number(operation.Done),
                Format.Number(operation.Refused),
                Format.Time(operation.StartedAt),
                Format.Time(operation.EndedAt),
                operation.Audit.Tool is { } tool ? $"{operation.Audit.Actor} ({tool})" : operation.Audit.Actor,
                Format.Text(operation.Audit.Reason),
                UndoOf(operation));
        }

        return table;
    }

    private static string UndoOf(BulkOperation operation) => operation switch
    {
        { Undoes: { } undone } => $"of {Format.Number(undone)}",
        { UndoneBy: { } by } => $"by {Format.Number(by)}",
        _ => Format.Text(null),
    };

    private static CommandException Missing(long id)
        => new(ExitCodes.NotFound, $"There is no operation {id}: it never existed, or retention has removed it. "
            + "'taskrecovery ops' lists all.");

    private static string StateOf(BulkOperation? operation) => operation switch
    {
        null => "in another state",
        { UndoneBy: { } by } => $"undone by operation {by}",
        _ => operation.State.ToString(),
    };
}
