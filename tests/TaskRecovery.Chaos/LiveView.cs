using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace TaskRecovery.Chaos;

/// <summary>Shows what is going on: a table that renews itself on a terminal, a line now and then in a file.</summary>
internal sealed class LiveView(ChaosOptions options, Fleet fleet, Producer producer, Stopwatch clock)
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan BetweenTables = TimeSpan.FromSeconds(0.5);

    /// <summary>Shows it while <paramref name="harm"/> goes on.</summary>
    public async Task ShowAsync(Func<Task> harm)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"store {options.Store}, seed {options.Seed}: until {options.Kills} kills or {options.Limit.TotalMinutes:0.#} minutes"));
        var going = harm();
        if (Console.IsOutputRedirected)
        {
            while (await Task.WhenAny(going, Task.Delay(BetweenLines)) != going)
            {
                Console.WriteLine(Line());
            }
        }
        else
        {
            await AnsiConsole.Live(Table()).StartAsync(async live =>
            {
                while (await Task.WhenAny(going, Task.Delay(BetweenTables)) != going)
                {
                    live.UpdateTarget(Table());
                }
            });
        }

        await going;
    }

    private string Line()
        => string.Create(
            CultureInfo.InvariantCulture,
            $"{clock.Elapsed:mm\\:ss}  {fleet.Weather,-8} kills {fleet.Kills,5}  alive {fleet.Alive.Count,2}  "
            + $"acknowledged {producer.Acknowledged.Count,6}  unconfirmed {producer.Unconfirmed,4}  last: {Last()}");

    private string Last() => fleet.Harms is [.., var last] ? last.Kind : "-";

    private Table Table()
    {
        var table = new Table().RoundedBorder().Title(Line().EscapeMarkup()).AddColumn("harm").AddColumn(
            new TableColumn("times").RightAligned()).AddColumn("");
        var all = fleet.Times;
        foreach (var (kind, times) in all)
        {
            table.AddRow(kind.EscapeMarkup(), times.ToString(CultureInfo.InvariantCulture), new string(
                '▪', 1 + (30 * times / all[0].Value)));
        }

        return table;
    }
}
