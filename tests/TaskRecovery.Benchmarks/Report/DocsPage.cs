using System.Globalization;
using System.Text;

namespace TaskRecovery.Benchmarks.Report;

/// <summary>The page of the docs that shows the figures, written anew from those of the last runs.</summary>
internal static class DocsPage
{
    private const string Head = """
        # Benchmarks

        Written by `build/bench.sh`; run it to have the figures of your own machine. Every commit is durable (`fsync` and `synchronous_commit` on), history is
        kept, and client and server share the machine. Processes work before the clock runs, until the runtime compiles hardly anything more. Each figure is the median of
        alternating rounds. A **floor** is the same work done by the store's own
        statements in a plain loop through the driver, without an engine, measured in the same run; "of its floor" divides the two. Compare ratios rather than
        absolute figures: those depend on the machine, its disk, and on what else it was doing.

        ```
        build/bench.sh [--quick] [--store postgres|sqlite] [--json FILE] [ROW...]
        build/bench.sh [--minutes N] [--store postgres|sqlite] --docs retention|sweep
        ```

        Why things are as they are: [decisions](decisions/README.md).

        """;

    public static async Task RefreshAsync(string folder, StoreResults results, bool add)
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, "benchmarks")).FullName;
        var path = Path.Combine(data, results.Store + ".json");
        await results.Over(await StoreResults.LoadAsync(path), add).SaveAsync(path);

        var page = new StringBuilder(Head);
        foreach (var (store, title) in ((string, string)[])[("postgres", "PostgreSQL"), ("sqlite", "SQLite")])
        {
            if (await StoreResults.LoadAsync(Path.Combine(data, store + ".json")) is { } found)
            {
                await WriteAsync(page, title, found, data);
            }
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "benchmarks.md"), page.ToString());
    }

    private static async Task WriteAsync(StringBuilder page, string title, StoreResults results, string data)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n{results.Machine}.\n");
        if (results.Note is { } note)
        {
            page.Append(CultureInfo.InvariantCulture, $"{note}\n");
        }

        foreach (var row in results.Rows.Where(row => row.Cases.Length > 0))
        {
            var chart = $"{results.Store}-{row.Name}.svg";
            await File.WriteAllTextAsync(Path.Combine(data, chart), BarChart.Draw(row));
            var size = row.Quick ? "quick run" : "full run";
            page.Append(CultureInfo.InvariantCulture, $"\n### {row.Title}\n\n{row.Text} ({row.When} UTC, {size}, {row.Cases[0].Rounds.Length} rounds)\n\n");
            page.Append(CultureInfo.InvariantCulture, $"![{row.Title}](benchmarks/{chart})\n\n| case | median | of its floor | more |\n|---|---|---|---|\n");
            foreach (var result in row.Cases)
            {
                var ratio = row.Ratio(result)?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";
                var more = string.Join(", ", result.Medians.Skip(1).Select(figure => $"{figure.Name} {ConsoleReport.Text(figure)}"));
                page.Append(CultureInfo.InvariantCulture, $"| {result.Name} | {ConsoleReport.Text(result.Medians[0])} | {ratio} | {more} |\n");
            }
        }
    }
}
