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
            if (await call.AskAsync(question, cancellationToken).ConfigureAwait(false) is { } code)
            {
                return code;
            }

            var erased = 0;
            foreach (var target in targets)
            {
                erased += await call.SendAsync(one => one.EraseAsync(target, call.Audit, cancellationToken)).ConfigureAwait(false);
            }

            return Write(call, new EraseResult(what, erased));
        });
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
            call.Printer.Line(string.Create(CultureInfo.InvariantCulture, $"erase {result.Subject}: done, {result.Entries} erased"));
        }

        if (result.Entries > 0)
        {
            return ExitCodes.Done;
        }

        call.Printer.Note($"erase {result.Subject}: nothing was changed, because it does not exist.");
        return ExitCodes.NotFound;
    }
}
