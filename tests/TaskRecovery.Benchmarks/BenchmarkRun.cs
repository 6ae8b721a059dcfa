using System.Globalization;
using System.Runtime.InteropServices;
using Spectre.Console;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Report;
using TaskRecovery.Benchmarks.Rows;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks;

/// <summary>Runs rows in alternating rounds and reports medians.</summary>
internal static class BenchmarkRun
{
    private static readonly Func<BenchmarkRow>[] Rows =
    [
        () => new EnqueueRow(),
        () => new TransactionRow(),
        () => new DrainRow(),
        () => new FirstRow(),
        () => new StepsRow(),
        () => new MixedRow(),
        () => new PickupRow(),
        () => new SizeRow(),
        () => new SnapshotRow(),
        () => new RecoveryRow(),
        () => new JobsRow(),
        () => new CostRow(),
        () => new IdleRow(),
        () => new FleetRow(),
        () => new SimulationRow(),
        () => new ForeignTransactionRow(),
        () => new RetentionRow(),
        () => new SweepRow(),
        () => new MonitorRow(),
        () => new CommandRow(),
    ];

    public static IReadOnlyList<string> RowNames { get; } = [.. Rows.Select(create => create().Name)];

    public static async Task<int> RunAsync(BenchmarkOptions options, CancellationToken cancellationToken)
    {
        var unknown = options.Rows.Except(RowNames, StringComparer.Ordinal).ToArray();
        if (unknown.Length > 0)
        {
            AnsiConsole.MarkupLineInterpolated(
                $"[red]There is no row {string.Join(", ", unknown)}.[/] There are: {string.Join(", ", RowNames)}.");
            return 2;
        }

        var chosen = Rows.Select(create => create()).Where(row => (options.Rows.Count == 0 && row.IsPartOfAll)
            || options.Rows.Contains(row.Name, StringComparer.Ordinal)).ToArray();
        await using var store = await BenchmarkStores.StartAsync(options.Store);
        var environment = new BenchmarkEnvironment(store, options.Quick, options.Minutes, options.History, options.Tool)
        {
            Statements = options.Statements,
            Published = options.Published,
        };
        Environment.SetEnvironmentVariable(WarmUp.QuickVariable, options.Quick ? "1" : null);
        var results = new List<RowResult>();
        foreach (var row in chosen)
        {
            cancellationToken.ThrowIfCancellationRequested();
            results.Add(await MeasureAsync(row, environment, options));
            ConsoleReport.Print(results[^1]);
        }

        var all = new StoreResults(options.Store, await MachineAsync(store), options.Note, [.. results]);
        if (options.Json is { } path)
        {
            await all.SaveAsync(path);
        }

        if (options.Docs is { } folder)
        {
            await DocsPage.RefreshAsync(folder, all, options.Add);
        }

        return 0;
    }

    private static async Task<RowResult> MeasureAsync(BenchmarkRow row, BenchmarkEnvironment environment, BenchmarkOptions options)
    {
        var rounds = new Dictionary<string, List<Figure[]>>(StringComparer.Ordinal);
        IReadOnlyList<BenchmarkCase> cases = [];
        await AnsiConsole.Progress().HideCompleted(false).StartAsync(async progress =>
        {
            var bar = progress.AddTask($"{row.Name}: preparing", maxValue: 1);
            cases = [.. (await row.PrepareAsync(environment)).Where(item => options.Only is null
                || item.Name.Contains(options.Only, StringComparison.Ordinal))];
            var count = Math.Min(options.Rounds, row.MostRounds);
            bar.MaxValue = Math.Max(1, cases.Count * count);
            for (var round = 0; round < count; round++)
            {
                foreach (var measured in cases)
                {
                    bar.Description = Markup.Escape($"{row.Name} {round + 1}/{count}: {measured.Name}");
                    if (!rounds.TryGetValue(measured.Name, out var figures))
                    {
                        rounds[measured.Name] = figures = [];
                    }

                    figures.Add([.. (await measured.RunAsync()).Where(figure => !double.IsNaN(figure.Value))]);
                    bar.Increment(1);
                }
            }

            bar.Value = bar.MaxValue;
            bar.Description = row.Name;
        });
        await row.CleanUpAsync();
        var now = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        return new RowResult(
            row.Name, row.Title, row.Text, now, options.Quick, [.. cases.Select(item => CaseResult.Of(item, rounds[item.Name]))]);
    }

    private static async Task<string> MachineAsync(IBenchmarkStore store)
    {
        var description = await store.DescribeAsync();
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1L << 30);
        return $"{Environment.ProcessorCount} cores shared by client and server, {memory} "
            + $"GiB, {RuntimeInformation.FrameworkDescription}, {description}";
    }
}
