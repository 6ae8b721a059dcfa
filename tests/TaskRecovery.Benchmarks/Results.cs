using System.Text.Json;

namespace TaskRecovery.Benchmarks;

/// <summary>One measured number.</summary>
/// <param name="Name">What it says; the first one of a case is drawn and compared with the floor's first one.</param>
/// <param name="Value">The number.</param>
/// <param name="Unit">Its unit.</param>
internal sealed record Figure(string Name, double Value, string Unit);

/// <summary>One thing that is measured, once in each round.</summary>
/// <param name="Name">What it is called in the tables.</param>
/// <param name="RunAsync">Measures it.</param>
/// <param name="Floor">The case of the same row that does the same without the engine.</param>
internal sealed record BenchmarkCase(string Name, Func<Task<Figure[]>> RunAsync, string? Floor = null);

/// <summary>The medians of one case.</summary>
internal sealed record CaseResult(string Name, string? Floor, Figure[] Medians, Figure[][] Rounds)
{
    public static CaseResult Of(BenchmarkCase measured, IReadOnlyList<Figure[]> rounds) => Of(measured.Name, measured.Floor, rounds);

    /// <summary>This case with the rounds of an earlier run of it.</summary>
    public CaseResult With(CaseResult? earlier) => earlier is null ? this : Of(Name, Floor, [.. earlier.Rounds, .. Rounds]);

    private static CaseResult Of(string name, string? floor, IReadOnlyList<Figure[]> rounds)
        => new(name, floor, [.. rounds[^1].Select(figure => figure with { Value = Median(rounds, figure.Name) })], [.. rounds]);

    private static double Median(IReadOnlyList<Figure[]> rounds, string name)
    {
        var values =
            rounds.SelectMany(round => round).Where(figure => figure.Name == name).Select(figure => figure.Value).Order().ToArray();
        return values.Length % 2 == 1 ? values[values.Length / 2] : (values[(values.Length / 2) - 1] + values[values.Length / 2]) / 2;
    }
}

/// <summary>One row: its cases in order.</summary>
internal sealed record RowResult(string Name, string Title, string Text, string When, bool Quick, CaseResult[] Cases)
{
    /// <summary>This row with the rounds of an earlier run of it.</summary>
    public RowResult With(RowResult earlier)
        => this with
        {
            Cases = [.. Cases.Select(result => result.With(earlier.Cases.FirstOrDefault(other => other.Name == result.Name)))
                .Concat(earlier.Cases.Where(other => Cases.All(result => result.Name != other.Name)))],
        };

    /// <summary>A case's first figure divided by its floor's; <see langword="null"/> without a floor.</summary>
    public double? Ratio(CaseResult result)
        => result.Floor is { } name && Cases.FirstOrDefault(other => other.Name == name) is { } floor && floor.Medians[0].Value > 0
            ? result.Medians[0].Value / floor.Medians[0].Value
            : null;
}

/// <summary>The figures of one store.</summary>
internal sealed record StoreResults(string Store, string Machine, string? Note, RowResult[] Rows)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    public static async Task<StoreResults?> LoadAsync(string path)
        => File.Exists(path) ? JsonSerializer.Deserialize<StoreResults>(await File.ReadAllTextAsync(path), Json) : null;

    public Task SaveAsync(string path) => File.WriteAllTextAsync(path, JsonSerializer.Serialize(this, Json) + "\n");

    /// <summary>These rows, and those of an earlier run that were not run this time.</summary>
    /// <param name="earlier">The earlier run.</param>
    /// <param name="add">Whether rows that were run both times keep the rounds of both.</param>
    public StoreResults Over(StoreResults? earlier, bool add)
        => earlier is null
            ? this
            : this with
            {
                Rows = [.. earlier.Rows.Concat(Rows).GroupBy(row => row.Name, StringComparer.Ordinal)
                    .Select(rows => add ? rows.Aggregate((before, now) => now.With(before)) : rows.Last())
                    .OrderBy(row => Array.IndexOf([.. BenchmarkRun.RowNames], row.Name))],
            };
}
