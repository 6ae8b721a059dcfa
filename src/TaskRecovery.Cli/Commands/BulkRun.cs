using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>Carries out a bulk operation: preview, question, steps with progress, and the entries that were refused.</summary>
internal static class BulkRun
{
    private static readonly TimeSpan WaitForOther = TimeSpan.FromMilliseconds(200);

    public static async Task<int> RunAsync(CommandCall call, BulkRequest request, string how, CancellationToken cancellationToken)
    {
        var preview = await call.Store.Operator.PreviewAsync(request, call.Audit, cancellationToken).ConfigureAwait(false);
        if (request.EntryIds is null && preview.Entries is { Value: 0, Precision: CountPrecision.Exact })
        {
            call.Printer.Note("No entries match.");
            return Write(call, preview, request.Action, null, []);
        }

        // The ids of the user may include some that do not exist: they are processed too, and refused.
        var amount = request.EntryIds is { } ids ? Format.Number(ids.Count) : preview.Entries.ToString();
        if (!call.SaidYes)
        {
            foreach (var line in ListCommand.TableOf(preview.Sample).ToLines())
            {
                call.Printer.Note(line);
            }
        }

        if (!await call.ConfirmAsync(
            $"{request.Action} {amount} entries in {call.Store.Where}{how}?", cancellationToken).ConfigureAwait(false))
        {
            return ExitCodes.Interrupted;
        }

        var answer = await call.Store.Operator.StartAsync(preview.OperationId, call.Audit, cancellationToken).ConfigureAwait(false);
        if (answer.Result != OperationResult.Done)
        {
            throw new CommandException(
                ExitCodes.Found, $"Operation {preview.OperationId} was not started: {answer.Result}. Nothing was changed; try again.");
        }

        var operation = await CarryOutAsync(call, preview.OperationId, cancellationToken).ConfigureAwait(false);
        return Write(call, preview, request.Action, operation, await ListRefusedAsync(
            call, preview.OperationId, cancellationToken).ConfigureAwait(false));
    }

    private static async Task<BulkOperation> CarryOutAsync(CommandCall call, long id, CancellationToken cancellationToken)
    {
        try
        {
            for (var before = 0L; ;)
            {
                var operation = await call.Store.Operator.ContinueAsync(id, cancellationToken).ConfigureAwait(false)
                    ?? throw new CommandException(ExitCodes.NotFound, $"Operation {id} no longer exists.");
                if (operation.State != OperationState.Running)
                {
                    return operation;
                }

                var processed = operation.Done + operation.Refused;
                call.Printer.Note($"{operation.Done} done, {operation.Refused} refused, of {operation.Expected}");
                if (processed == before)
                {
                    // A node is doing the current step.
                    await Task.Delay(WaitForOther, TimeProvider.System, cancellationToken).ConfigureAwait(false);
                }

                before = processed;
            }
        }
        catch (OperationCanceledException)
        {
            // Without this, a node would carry out the rest.
            var stopped = await call.Store.Operator.StopAsync(id, call.Audit, CancellationToken.None).ConfigureAwait(false);
            throw new CommandException(
                ExitCodes.Interrupted, $"Operation {id} was stopped: {stopped.Operation?.Done ?? 0} entries were changed.");
        }
    }

    private static async Task<IReadOnlyList<OperationEntry>> ListRefusedAsync(
        CommandCall call, long id, CancellationToken cancellationToken)
    {
        var refused = new List<OperationEntry>();
        var query = new OperationEntryQuery { OperationId = id, OnlyRefused = true, Limit = 1000 };
        while (true)
        {
            var page = await call.Store.Operator.ListOperationEntriesAsync(query, cancellationToken).ConfigureAwait(false);
            refused.AddRange(page.Entries);
            if (page.NextAfter is not { } next)
            {
                return refused;
            }

            query = query with { After = next };
        }
    }

    private static int Write(
        CommandCall call, OperationPreview preview, BulkAction action, BulkOperation? operation, IReadOnlyList<OperationEntry> refused)
    {
        var (done, refusals) = (operation?.Done ?? 0, operation?.Refused ?? 0);
        if (call.AsJson)
        {
            call.Printer.Json(
                new BulkResult(preview.OperationId, action, operation?.State
                    ?? OperationState.Prepared, preview.Entries, done, refusals, refused),
                CliJson.Default.BulkResult);
        }
        else
        {
            call.Printer.Line(operation is null
                ? "0 done, 0 refused"
                : $"operation {Format.Number(operation.Id)}: {operation.State}, {Format.Number(done)} "
                    + $"done, {Format.Number(refusals)} refused");
            foreach (var entry in refused)
            {
                call.Printer.Line($"entry {Format.Number(entry.EntryId)}: refused, because {ActionText.Describe(entry.Result)}");
            }
        }

        if (refusals == 0 && (operation is null || operation.State == OperationState.Ended))
        {
            return ExitCodes.Done;
        }

        return done > 0 ? ExitCodes.PartlyDone : ExitCodes.Found;
    }
}
