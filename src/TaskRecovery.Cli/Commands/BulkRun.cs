using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>Changes many entries: preview, question, and the operation.</summary>
internal static class BulkRun
{
    private const int SampleSize = 10;

    public static async Task<int> RunAsync(CommandCall call, BulkRequest request, string how, CancellationToken cancellationToken)
    {
        if (call.IsDryRun)
        {
            await DescribeAsync(call, request, how, cancellationToken).ConfigureAwait(false);
            return ExitCodes.Done;
        }

        var preview = await call.Store.Operator.PreviewAsync(request, call.Audit, cancellationToken).ConfigureAwait(false);
        if (request.EntryIds is null && preview.Entries is { Value: 0, Precision: CountPrecision.Exact })
        {
            call.Printer.Note("No entries match.");
            return OperationRun.WriteNothing(call, preview, request.Action);
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

        if (await call.AskAsync(Describe(request, amount, call.Store.Where, how), cancellationToken).ConfigureAwait(false) is { } code)
        {
            return code;
        }

        return await OperationRun.StartAsync(call, preview, cancellationToken).ConfigureAwait(false);
    }

    // A preview of the library stores the operation. This one stores nothing.
    private static async Task DescribeAsync(CommandCall call, BulkRequest request, string how, CancellationToken cancellationToken)
    {
        if (request.EntryIds is { } ids)
        {
            var sample = await FindAsync(call, ids.Take(SampleSize), cancellationToken).ConfigureAwait(false);
            var what = Describe(request, Format.Number(ids.Count), call.Store.Where, how);
            call.Describe(new DryRunResult(what, new Count(ids.Count), sample));
            return;
        }

        var query = request.Query! with { States = PossibleStates(request) };
        var (count, newest) = await LookAsync(call, query, cancellationToken).ConfigureAwait(false);
        call.Describe(new DryRunResult(Describe(request, count.ToString(), call.Store.Where, how), count, newest));
    }

    /// <summary>Counts the entries that match a query, and lists the newest of them.</summary>
    public static async Task<(Count Count, IReadOnlyList<EntrySummary> Newest)> LookAsync(
        CommandCall call, EntryQuery query, CancellationToken cancellationToken)
    {
        var groups = await call.Store.Monitor.GroupAsync(query, EntryGrouping.State, cancellationToken).ConfigureAwait(false);
        var newest = await call.Store.Monitor.ListAsync(query with { Limit = SampleSize }, cancellationToken).ConfigureAwait(false);
        return (
            new Count(
                groups.Groups.Sum(static group => group.Entries.Value), groups.IsComplete ? CountPrecision.Exact : CountPrecision.AtLeast),
            newest.Entries);
    }

    /// <summary>Finds entries by their ids, without those that do not exist.</summary>
    public static async Task<IReadOnlyList<EntrySummary>> FindAsync(
        CommandCall call, IEnumerable<long> ids, CancellationToken cancellationToken)
    {
        var found = new List<EntrySummary>();
        foreach (var id in ids)
        {
            var page = await call.Store.Monitor.ListAsync(
                new EntryQuery { Before = id + 1, Limit = 1, MaxExamined = 1 }, cancellationToken).ConfigureAwait(false);
            found.AddRange(page.Entries.Where(entry => entry.Id == id));
        }

        return found;
    }

    private static EntryState[] PossibleStates(BulkRequest request)
    {
        var wanted = request.Query!.States ?? [];
        EntryState[] states = [.. EntryAction.StatesOf(request.Action).Where(state => wanted.Count == 0 || wanted.Contains(state))];
        return states.Length > 0
            ? states
            : throw CommandException.Usage(
                $"--state is '{string.Join(", ", wanted)}': {request.Action} changes only entries that are "
                + $"{string.Join(" or ", EntryAction.StatesOf(request.Action))}.");
    }

    private static string Describe(BulkRequest request, string amount, string where, string how)
        => $"{request.Action} {amount} entries in {where}{how}";
}
