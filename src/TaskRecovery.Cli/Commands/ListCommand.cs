using System.CommandLine;
using System.Globalization;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>list</c>: one page of entries, newest first.</summary>
internal static class ListCommand
{
    public static Command Create(CommandFrame frame)
    {
        var filters = new EntryFilters();
        var limit = new Option<int?>("--limit") { Description = "The most entries to list. Default: 100, at most 1000." };
        var before = new Option<long?>("--before") { Description = "Only entries with a smaller id, to look further." };
        var maxExamined = new Option<int?>("--max-examined") { Description = "The most entries to examine. Default: 100000." };
        var command = new Command("list", "Lists entries, newest first, and says how far it looked.") { limit, before, maxExamined };
        filters.AddTo(command);
        return frame.Reads(command, async (call, cancellationToken) =>
        {
            var query = await filters.ReadAsync(call, cancellationToken).ConfigureAwait(false);
            var page = await call.Store.Monitor.ListAsync(
                query with
                {
                    Limit = call.Get(limit) ?? query.Limit,
                    Before = call.Get(before),
                    MaxExamined = call.Get(maxExamined) ?? query.MaxExamined,
                },
                cancellationToken).ConfigureAwait(false);
            Show(call, page);
            return ExitCodes.Done;
        });
    }

    /// <summary>The table of entries, which bulk actions show too.</summary>
    public static TextTable TableOf(IEnumerable<EntrySummary> entries)
    {
        var table = new TextTable("id", "state", "kind", "queue", "attempt", "crashes", "created", "due", "ended", "node", "reason");
        foreach (var entry in entries)
        {
            table.Add(
                Format.Number(entry.Id),
                entry.State.ToString(),
                entry.Kind,
                entry.Queue,
                string.Create(CultureInfo.InvariantCulture, $"{entry.Attempt}/{entry.MaxAttempts}"),
                Format.Number(entry.Crashes),
                Format.Time(entry.CreatedAt),
                Format.Time(entry.RunAt),
                Format.Time(entry.EndedAt),
                Format.Text(entry.Node),
                Format.Text(entry.Reason ?? (entry.CancelRequested ? "cancel requested" : null)));
        }

        return table;
    }

    private static void Show(CommandCall call, EntrySummaryPage page)
    {
        if (call.AsJson)
        {
            call.Json(page, page.Entries);
        }
        else if (page.Entries.Count > 0)
        {
            call.Printer.Table(TableOf(page.Entries));
        }

        if (call.Format == OutputFormat.Json)
        {
            return;
        }

        var found = $"{page.Entries.Count} {(page.Entries.Count == 1 ? "entry" : "entries")}";
        call.Printer.Note(page.IsComplete
            ? $"{found}; there are no others."
            : $"{found}; searched back to {Format.Time(page.SearchedBackTo)}. "
                + $"Look further with --before {Format.Number(page.NextBefore)}.");
    }
}
