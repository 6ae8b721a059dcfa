using System.CommandLine;
using System.Globalization;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>erase</c>: blanks what the application stored in entries.</summary>
internal static class EraseCommand
{
    public static Command Create(CommandFrame frame)
    {
        var ids = new Argument<string[]>("ID") { Description = "The ids of the entries.", Arity = ArgumentArity.ZeroOrMore };
        var key = new Option<string?>("--key") { Description = "The unique key of the entries, in any state." };
        var kind = new Option<string?>("--kind") { Description = "With --key, only entries of this kind." };
        var metadata = new Option<string?>("--metadata")
        {
            Description = "A name and value of the metadata, as in customer=4711, in any state.",
        };
        var command = new Command(
            "erase", "Blanks the arguments, results, errors and everything else that the application stored in entries, for good.")
        {
            ids, key, kind, metadata,
        };
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            var (targets, what) = Read(
                [.. (call.Get(ids) ?? []).Select(Values.Id).Distinct()],
                call.Get(key), call.Get(kind), Values.Pair("--metadata", call.Get(metadata)));
            var question = $"Erase the data of {what} in {call.Store.Where}, which can't be undone";
            if (call.IsDryRun)
            {
                return await DescribeAsync(call, targets, what, question, cancellationToken).ConfigureAwait(false);
            }

            if (await call.AskAsync(question, cancellationToken).ConfigureAwait(false) is { } code)
            {
                return code;
            }

            var (erased, missing) = await EraseAsync(call, targets, cancellationToken).ConfigureAwait(false);
            return Write(call, new EraseResult(what, erased, missing));
        });
    }

    private static async Task<(int Erased, IReadOnlyList<long> Missing)> EraseAsync(
        CommandCall call, IReadOnlyList<EraseTarget> targets, CancellationToken cancellationToken)
    {
        var (erased, missing) = (0, new List<long>());
        try
        {
            foreach (var target in targets)
            {
                var count = await call.Store.Operator.EraseAsync(target, call.Audit, cancellationToken).ConfigureAwait(false);
                erased += count;
                if (count == 0 && target.EntryId is { } id)
                {
                    missing.Add(id);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException || Failure.IsNotReachable(exception))
        {
            // Each entry is erased by a transaction of its own, and a key or metadata may have selected many.
            var isInterrupted = exception is OperationCanceledException && !call.HasTimedOut();
            var why = exception is not OperationCanceledException ? exception.Message
                : isInterrupted ? "Interrupted." : "It was not done within --timeout.";
            throw new CommandException(
                isInterrupted ? ExitCodes.Interrupted : ExitCodes.NotReachable,
                string.Create(CultureInfo.InvariantCulture, $"{why} At least {erased} entries were erased. Repeat it to erase the rest."));
        }

        return (erased, missing);
    }

    private static async Task<int> DescribeAsync(
        CommandCall call, IReadOnlyList<EraseTarget> targets, string what, string question, CancellationToken cancellationToken)
    {
        long[] ids = [.. targets.Select(static target => target.EntryId).OfType<long>()];
        Count count;
        IReadOnlyList<EntrySummary> sample;
        if (ids.Length > 0)
        {
            sample = await BulkRun.FindAsync(call, ids, cancellationToken).ConfigureAwait(false);
            count = new Count(sample.Count);
        }
        else
        {
            var one = targets[0];
            (count, sample) = await BulkRun.LookAsync(
                call, new EntryQuery { UniqueKey = one.UniqueKey, Kind = one.Kind, Metadata = one.Metadata }, cancellationToken)
                .ConfigureAwait(false);
        }

        long[] missing = [.. ids.Except(sample.Select(static entry => entry.Id))];
        if (count is { Value: 0, Precision: CountPrecision.Exact })
        {
            return Write(call, new EraseResult(what, 0, missing));
        }

        foreach (var id in missing)
        {
            call.Printer.Note($"entry {Format.Number(id)} does not exist.");
        }

        call.Describe(new DryRunResult($"{question}: {count} found", count, sample));
        return ExitCodes.Done;
    }

    private static (IReadOnlyList<EraseTarget> Targets, string What) Read(
        long[] ids, string? key, string? kind, KeyValuePair<string, string>? metadata)
    {
        if (kind is not null && key is null)
        {
            throw CommandException.Usage("--kind is only used with --key: give the unique key, or ids, or --metadata.");
        }

        return (ids.Length > 0, key is not null, metadata is not null) switch
        {
            (true, false, false) => ([.. ids.Select(EraseTarget.Entry)], ids.Length == 1
                ? $"entry {ids[0]}"
                : string.Create(CultureInfo.InvariantCulture, $"{ids.Length} entries")),
            (false, true, false) => ([EraseTarget.ByUniqueKey(key!, kind)], $"every entry with the unique key '{key}'"),
            (false, false, true) => (
                [EraseTarget.ByMetadata(metadata!.Value.Key, metadata.Value.Value)],
                $"every entry with the metadata '{metadata.Value.Key}={metadata.Value.Value}'"),
            (false, false, false) => throw CommandException.Usage("Nothing is selected: give ids, --key or --metadata."),
            _ => throw CommandException.Usage("Ids, --key and --metadata exclude each other: use one of them."),
        };
    }

    private static int Write(CommandCall call, EraseResult result)
    {
        if (call.AsJson)
        {
            call.Json(result);
        }
        else if (result.Entries > 0)
        {
            var done = result.Missing.Count == 0 ? "done, " : "";
            call.Printer.Line(string.Create(CultureInfo.InvariantCulture, $"erase {result.Subject}: {done}{result.Entries} erased"));
            foreach (var id in result.Missing)
            {
                call.Printer.Line($"entry {Format.Number(id)}: not erased, because it does not exist");
            }
        }

        if (result.Entries > 0)
        {
            return result.Missing.Count == 0 ? ExitCodes.Done : ExitCodes.PartlyDone;
        }

        call.Printer.Note($"erase {result.Subject}: nothing was changed, because it does not exist.");
        return ExitCodes.NotFound;
    }
}
