using System.Globalization;
using System.Security;
using System.Text;

namespace TaskRecovery.Benchmarks.Report;

/// <summary>A row as an SVG of bars, readable on a light and on a dark page.</summary>
internal static class BarChart
{
    private const int Width = 760;
    private const int LabelWidth = 300;
    private const int Bar = 18;
    private const int Gap = 8;
    private const string Style =
        "text { fill: #6e7781 } .engine { fill: #2f81f7 } .floor { fill: #9aa4af } "
        + "@media (prefers-color-scheme: dark) { text { fill: #9aa4af } .floor { fill: #6e7781 } }";

    public static string Draw(RowResult row)
    {
        var unit = row.Cases[0].Medians[0].Unit;
        var cases = row.Cases.Where(result => result.Medians[0].Unit == unit
            || (IsRate(unit) && IsRate(result.Medians[0].Unit))).ToArray();
        if (cases.Any(result => result.Medians[0].Unit != unit))
        {
            unit = "1/s";
        }

        var floors = row.Cases.Select(result => result.Floor).OfType<string>().Select(Family).ToHashSet(StringComparer.Ordinal);
        var most = Math.Max(cases.Max(result => result.Medians[0].Value), 1e-9);
        var height = 40 + (cases.Length * (Bar + Gap)) + 6;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{height}" viewBox="0 0 {Width} {height}" font-family="system-ui,
                sans-serif" font-size="12">
            <style>{Style}</style>
            <text x="8" y="22" font-size="14" font-weight="600">{SecurityElement.Escape(row.Title)}
                ({SecurityElement.Escape(unit)}{(unit is "us" or "ms" or "s" or "B" ? ", less is better" : "")})</text>

            """);
        for (var i = 0; i < cases.Length; i++)
        {
            var (value, y) = (cases[i].Medians[0].Value, 40 + (i * (Bar + Gap)));
            var length = Math.Max(1, value / most * (Width - LabelWidth - 140));
            var style = floors.Contains(Family(cases[i].Name)) ? "floor" : "engine";
            svg.Append(CultureInfo.InvariantCulture, $"""
                <text x="{LabelWidth - 8}" y="{y + 13}" text-anchor="end">{SecurityElement.Escape(cases[i].Name)}</text>
                <rect class="{style}" x="{LabelWidth}" y="{y}" width="{length:0.#}" height="{Bar}" rx="2"/>
                <text x="{LabelWidth + length + 6:0.#}" y="{y + 13}">{Label(cases[i])}</text>

                """);
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static string Label(CaseResult result)
        => result.Medians.FirstOrDefault(figure => figure.Name == "p99") is { } late && late.Unit == result.Medians[0].Unit
            ? $"{ConsoleReport.Number(result.Medians[0].Value)} (p99 {ConsoleReport.Number(late.Value)})"
            : ConsoleReport.Number(result.Medians[0].Value);

    // What is counted may differ: commits and steps are both done so many times a second.
    private static bool IsRate(string unit) => unit.EndsWith("/s", StringComparison.Ordinal);

    // "bare statements, batches of 100" is a floor too where the one of 1,000 is what cases are compared with.
    private static string Family(string name) => name.Split(',')[0];
}
