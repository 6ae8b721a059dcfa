using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>Carries out a bulk operation that was started: steps with progress, and the entries that were refused.</summary>
internal static class OperationRun
{
    private static readonly TimeSpan WaitForOther = TimeSpan.FromMilliseconds(200);

    public static async Task<int> RunAsync(CommandCall call, long id, Count matched, CancellationToken cancellationToken)
    {
        var operation = await CarryOutAsync(call, id, cancellationToken).ConfigureAwait(false);
        var query = new OperationEntryQuery { OperationId = id, OnlyRefused = true };
        var refused = await ListEntriesAsync(call, query, cancellationToken).ConfigureAwait(false);
        return Write(call, new BulkResult(id, operation.Action, operation.State, matched, operation.Done, operation.Refused, refused));
    }

    /// <summary>Writes the result of an operation that has nothing to do.</summary>
    public static int WriteNothing(CommandCall call, OperationPreview preview, BulkAction action)
        => Write(call, new BulkResult(preview.OperationId, action, OperationState.Prepared, preview.Entries, 0, 0, []));

    /// <summary>Lists all entries that an operation has processed.</summary>
    public static async Task<IReadOnlyList<OperationEntry>> ListEntriesAsync(
        CommandCall call, OperationEntryQuery query, CancellationToken cancellationToken)
    {
        var entries = new List<OperationEntry>();
        query = query with { Limit = 1000 };
        while (true)
        {
            var page = await call.Store.Operator.ListOperationEntriesAsync(query, cancellationToken).ConfigureAwait(false);
            entries.AddRange(page.Entries);
            if (page.NextAfter is not { } next)
            {
                return entries;
            }

            query = query with { After = next };
        }
    }

    /// <summary>Writes a line for each entry that was refused.</summary>
    public static void WriteRefused(Printer printer, IEnumerable<OperationEntry> entries)
    {
        foreach (var entry in entries.Where(static entry => entry.Result != OperatorResult.Done))
        {
            printer.Line($"entry {Format.Number(entry.EntryId)}: refused, because {ActionText.Describe(entry.Result)}");
        }
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
                call.HasTimedOut() ? ExitCodes.PartlyDone : ExitCodes.Interrupted,
                Describe(id, stopped));
        }
    }

    // It may have ended before the request to stop arrived.
    internal static string Describe(long id, OperationAnswer stopped) => stopped switch
    {
        { Result: OperationResult.Done, Operation: { } operation } => $"Operation {id} was stopped: {operation.Done} entries were changed.",
        { Operation: { State: OperationState.Ended } operation }
            => $"Operation {id} had already ended: {operation.Done} entries were changed.",
        { Operation: { } operation }
            => $"Operation {id} was not stopped, because it is {operation.State}: {operation.Done} entries were changed.",
        _ => $"Operation {id} was not stopped, because it no longer exists.",
    };

    private static int Write(CommandCall call, BulkResult result)
    {
        var isStarted = result.State != OperationState.Prepared;
        if (call.AsJson)
        {
            call.Json(result);
        }
        else
        {
            var name = isStarted ? $"operation {Format.Number(result.OperationId)}: {result.State}, " : "";
            call.Printer.Line($"{name}{Format.Number(result.Done)} done, {Format.Number(result.Refused)} refused");
            WriteRefused(call.Printer, result.RefusedEntries);
        }

        if (result.Refused == 0 && (!isStarted || result.State == OperationState.Ended))
        {
            return ExitCodes.Done;
        }

        return result.Done > 0 ? ExitCodes.PartlyDone : ExitCodes.Found;
    }
}
