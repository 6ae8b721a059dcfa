using System.Globalization;
using System.Text;

namespace TaskRecovery.Benchmarks.Report;

/// <summary>Writes docs/benchmarks.md from the stored figures of the last runs.</summary>
internal static class DocsPage
{
    private const string Head = """
        # Benchmarks

        Written by `build/bench.sh`; run it to measure your own machine. Every commit is durable (`fsync` and `synchronous_commit` on),
        history is kept, and client and server share the machine. Before the clock starts, the processes work until the runtime compiles
        almost nothing any more. Each figure is the median of alternating rounds. A **floor** is the same work without the engine,
        measured in the same run: the store's own statements in a plain loop through the driver. "Of its floor" is the figure divided by
        the floor. Compare these ratios rather than absolute figures, which depend on the machine, its disk and its other load.

        ```
        build/bench.sh [--quick] [--store postgres|sqlite] [--json FILE] [ROW...]
        build/bench.sh [--minutes N] [--store postgres|sqlite] --docs retention|sweep
        ```

        The [decisions](decisions/README.md) explain the design behind these figures.

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
            var rounds = row.Cases[0].Rounds.Length == 1 ? "1 round" : $"{row.Cases[0].Rounds.Length} rounds";
            page.Append(CultureInfo.InvariantCulture, $"\n### {row.Title}\n\n{Wrap($"{row.Text} ({row.When} UTC, {size}, {rounds})")}\n\n");
            page.Append(CultureInfo.InvariantCulture, $"![{row.Title}](benchmarks/{chart})\n\n");
            page.Append("| case | median | of its floor | more |\n|---|---|---|---|\n");
            foreach (var result in row.Cases)
            {
                var ratio = row.Ratio(result)?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";
                var more = string.Join(", ", result.Medians.Skip(1).Select(figure => $"{figure.Name} {ConsoleReport.Text(figure)}"));
                page.Append(
                    CultureInfo.InvariantCulture, $"| {result.Name} | {ConsoleReport.Text(result.Medians[0])} | {ratio} | {more} |\n");
            }
        }
    }

    // Pages have lines of at most 140 columns.
    private static string Wrap(string text)
    {
        var wrapped = new StringBuilder();
        var width = 0;
        foreach (var word in text.Split(' '))
        {
            if (width > 0)
            {
                var breaks = width + 1 + word.Length > 140;
                wrapped.Append(breaks ? '\n' : ' ');
                width = breaks ? 0 : width + 1;
            }

            wrapped.Append(word);
            width += word.Length;
        }

        return wrapped.ToString();
    }
}
