using System.Globalization;
using Spectre.Console;

namespace TaskRecovery.Benchmarks.Report;

/// <summary>Results as tables on the console.</summary>
internal static class ConsoleReport
{
    public static void Print(RowResult row)
    {
        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 160);
        var table = new Table().Title(Markup.Escape(row.Title)).AddColumn("case").AddColumn("median").AddColumn("of its floor")
            .AddColumn("more");
        foreach (var result in row.Cases)
        {
            table.AddRow(
                Markup.Escape(result.Name),
                Markup.Escape(Text(result.Medians[0])),
                row.Ratio(result) is { } ratio ? ratio.ToString("0.00", CultureInfo.InvariantCulture) : "",
                Markup.Escape(string.Join(", ", result.Medians.Skip(1).Select(figure => $"{figure.Name} {Text(figure)}"))));
        }

        AnsiConsole.Write(table);
    }

    public static string Text(Figure figure) => $"{Number(figure.Value)} {figure.Unit}".TrimEnd();

    public static string Number(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.00", CultureInfo.InvariantCulture),
    };
}
