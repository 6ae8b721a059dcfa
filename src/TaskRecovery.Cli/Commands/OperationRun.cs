using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>Carries out a bulk operation: the start, steps with progress, and the entries that were refused.</summary>
internal static class OperationRun
{
    private static readonly TimeSpan WaitForOther = TimeSpan.FromMilliseconds(200);

    // Steps take less than a second.
    private static readonly TimeSpan WorthAWord = TimeSpan.FromSeconds(5);

    // A request to start that was sent may be carried out although the command no longer waits for its answer.
    private static readonly TimeSpan WaitForStart = TimeSpan.FromSeconds(1);

    // A node may hold the operation for the whole step that it does.
    private static readonly TimeSpan WaitForStop = TimeSpan.FromSeconds(30);

    /// <summary>Starts a prepared operation and carries it out.</summary>
    public static async Task<int> StartAsync(CommandCall call, OperationPreview preview, CancellationToken cancellationToken)
    {
        var id = preview.OperationId;
        call.Printer.Note($"operation {id}");
        await StartPreparedAsync(call, id, cancellationToken).ConfigureAwait(false);
        return await RunAsync(call, id, preview.Entries, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Starts a prepared operation on one entry and carries it out.</summary>
    /// <returns>What became of the entry.</returns>
    public static async Task<OperatorResult> ChangeOneAsync(CommandCall call, long id, CancellationToken cancellationToken)
    {
        BulkOperation operation;
        try
        {
            await StartPreparedAsync(call, id, cancellationToken).ConfigureAwait(false);
            operation = await CarryOutAsync(call, id, cancellationToken).ConfigureAwait(false);
        }
        catch (CommandException stopped) when (stopped.ExitCode == ExitCodes.PartlyDone)
        {
            // The time limit has passed. One entry has no parts: it was changed before the operation was stopped, or nothing was.
            var ended = await call.Store.Operator.FindOperationAsync(id, scope: null, CancellationToken.None).ConfigureAwait(false);
            return ended is { Done: > 0 } ? OperatorResult.Done : throw new CommandException(ExitCodes.NotReachable, stopped.Message);
        }

        if (operation.Done > 0)
        {
            return OperatorResult.Done;
        }

        var entries = await ListEntriesAsync(call, new OperationEntryQuery { OperationId = id }, cancellationToken).ConfigureAwait(false);
        return entries is [var entry, ..]
            ? entry.Result
            : throw new CommandException(ExitCodes.Found, $"Operation {id} is {operation.State}. Nothing was changed.");
    }

    /// <summary>Starts the operation that reverses another one, and carries it out.</summary>
    public static async Task<int> UndoAsync(CommandCall call, BulkOperation undone, CancellationToken cancellationToken)
    {
        var answer = await WaitForStartAsync(
            call,
            call.Store.Operator.UndoAsync(undone.Id, call.Audit, CancellationToken.None).AsTask(),
            () => NewUndoAsync(call, undone),
            $"It is not known whether the undo of operation {undone.Id} was started: 'taskrecovery ops' lists it as 'of {undone.Id}' then",
            cancellationToken).ConfigureAwait(false);
        if (answer is not { Result: OperationResult.Done, Operation: { } undo })
        {
            throw OpsCommand.Refusal(undone.Id, answer, OperationChecks.Undoable);
        }

        call.Printer.Note($"operation {undo.Id}");
        return await RunAsync(call, undo.Id, undo.Expected, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Carries out an operation that was started.</summary>
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

    private static async Task StartPreparedAsync(CommandCall call, long id, CancellationToken cancellationToken)
    {
        var answer = await WaitForStartAsync(
            call, call.Store.Operator.StartAsync(id, call.Audit, CancellationToken.None).AsTask(), () => new ValueTask<long?>(id),
            $"It is not known whether operation {id} was started", cancellationToken).ConfigureAwait(false);
        if (answer.Result != OperationResult.Done)
        {
            throw new CommandException(
                ExitCodes.Found, $"Operation {id} was not started: {answer.Result}. Nothing was changed; try again.");
        }
    }

    private static async Task<BulkOperation> CarryOutAsync(CommandCall call, long id, CancellationToken cancellationToken)
    {
        try
        {
            var (movedAt, isTold) = (TimeProvider.System.GetTimestamp(), false);
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
                if (processed != before)
                {
                    (movedAt, isTold) = (TimeProvider.System.GetTimestamp(), false);
                }
                else
                {
                    if (!isTold && TimeProvider.System.GetElapsedTime(movedAt) > WorthAWord)
                    {
                        isTold = true;
                        call.Printer.Note(
                            $"No progress for {WorthAWord.TotalSeconds} s: a node is doing the current step, or another transaction keeps "
                            + "locked what it would change next. Ctrl-C stops the operation.");
                    }

                    await Task.Delay(WaitForOther, TimeProvider.System, cancellationToken).ConfigureAwait(false);
                }

                before = processed;
            }
        }
        catch (OperationCanceledException)
        {
            // Without this, a node would carry out the rest.
            throw await StopAsync(call, id, unknown: null).ConfigureAwait(false);
        }
        catch (Exception exception) when (Failure.IsNotReachable(exception))
        {
            throw new CommandException(
                ExitCodes.NotReachable,
                $"{exception.Message} Operation {id} was started, and a running node carries it out. {Commands(id)}");
        }
    }

    // Waits for the answer to a request that starts an operation. If the wait is cancelled, the operation may start nevertheless, and then
    // it is stopped.
    private static async Task<OperationAnswer> WaitForStartAsync(
        CommandCall call, Task<OperationAnswer> sent, Func<ValueTask<long?>> find, string unknown,
        CancellationToken cancellationToken)
    {
        try
        {
            return await sent.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw await StopStartedAsync(call, sent, find, unknown).ConfigureAwait(false);
        }
        catch (Exception exception) when (Failure.IsNotReachable(exception))
        {
            var id = await TryFindAsync(find).ConfigureAwait(false);
            throw new CommandException(
                ExitCodes.NotReachable, $"{exception.Message} {unknown}.{(id is { } some ? $" {Commands(some)}" : "")}");
        }
    }

    private static async Task<CommandException> StopStartedAsync(
        CommandCall call, Task<OperationAnswer> sent, Func<ValueTask<long?>> find, string unknown)
    {
        try
        {
            return await sent.WaitAsync(WaitForStart, TimeProvider.System).ConfigureAwait(false) switch
            {
                { Result: OperationResult.Done, Operation: { } started }
                    => await StopAsync(call, started.Id, unknown: null).ConfigureAwait(false),
                _ => new CommandException(call.HasTimedOut() ? ExitCodes.NotReachable : ExitCodes.Interrupted, "Nothing was changed."),
            };
        }
        catch (Exception exception) when (Failure.IsNotReachable(exception))
        {
            var id = await TryFindAsync(find).ConfigureAwait(false);
            return id is { } some
                ? await StopAsync(call, some, unknown).ConfigureAwait(false)
                : new CommandException(ExitCodes.NotReachable, $"{unknown}.");
        }
    }

    // A request to start it may still be under way.
    private static async Task<CommandException> StopAsync(CommandCall call, long id, string? unknown)
    {
        using var limit = new CancellationTokenSource(WaitForStop, TimeProvider.System);
        try
        {
            var stopped = await call.Store.Operator.StopAsync(id, call.Audit, limit.Token).AsTask().WaitAsync(limit.Token)
                .ConfigureAwait(false);
            return unknown is not null && stopped.Operation?.State == OperationState.Prepared
                ? new CommandException(ExitCodes.NotReachable, $"{unknown}. {Commands(id)}")
                : new CommandException(CodeOf(call), Describe(id, stopped));
        }
        catch (Exception exception) when (exception is OperationCanceledException || Failure.IsNotReachable(exception))
        {
            var why = exception is OperationCanceledException
                ? $"The request to stop it had no answer within {Format.Duration(WaitForStop)}."
                : exception.Message;
            return new CommandException(
                ExitCodes.NotReachable, $"{why} Operation {id} may continue on a running node. {Commands(id)}");
        }
    }

    private static int CodeOf(CommandCall call) => call.HasTimedOut() ? ExitCodes.PartlyDone : ExitCodes.Interrupted;

    private static string Commands(long id)
        => $"'taskrecovery ops show {id}' shows it, 'taskrecovery ops stop {id}' stops it, 'taskrecovery ops continue {id}' continues it.";

    private static async ValueTask<long?> TryFindAsync(Func<ValueTask<long?>> find)
    {
        try
        {
            return await find().ConfigureAwait(false);
        }
        catch (Exception exception) when (Failure.IsNotReachable(exception))
        {
            return null;
        }
    }

    // The id of an undo is known with its answer, or from the operation that it reverses.
    private static async ValueTask<long?> NewUndoAsync(CommandCall call, BulkOperation undone)
        => (await call.Store.Operator.FindOperationAsync(undone.Id, scope: null, CancellationToken.None).ConfigureAwait(false))
            ?.UndoneBy is { } by && by != undone.UndoneBy ? by : null;

    // It may have ended before the request to stop arrived.
    internal static string Describe(long id, OperationAnswer stopped) => stopped switch
    {
        { Result: OperationResult.Done, Operation: { } operation } => $"Operation {id} was stopped: {operation.Done} entries were changed.",
        { Operation: { State: OperationState.Prepared } } => $"Operation {id} was not started. Nothing was changed.",
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
