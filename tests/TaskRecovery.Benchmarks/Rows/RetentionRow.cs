using System.Diagnostics;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Whether a queue that removes its history stays as fast and as large as it is.</summary>
internal sealed class RetentionRow : BenchmarkRow
{
    private const int Slices = 10;
    private const int SlicesKept = 1;

    private IBenchmarkDatabase? _database;
    private ChildHandle? _child;
    private long _count;
    private StoreCost? _cost;
    private double _cpu;

    public override string Name => "retention";

    public override string Title => "History that is removed";

    public override string Text
        => "One process enqueues as many entries as it finishes, both as fast as possible, and keeps history for a tenth of the run."
        + " The floor of each part of the run is the second part: from then on as much is removed as is added.";

    public override bool IsPartOfAll => false;

    public override int MostRounds => 1;

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        var slice = TimeSpan.FromMinutes(environment.Minutes / Slices);
        _database = await store.CreateAsync();
        _child = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "circulate",
            Store = store.Name,
            ConnectionString = _database.ConnectionString,
            Batch = 1_000,
            KeepSeconds = slice.TotalSeconds * SlicesKept,
        });
        return [.. Enumerable.Range(0, Slices).Select(number => new BenchmarkCase(
            Words(slice, number), () => MeasureAsync(slice, number == 0), number > 1 ? Words(slice, 1) : null))];
    }

    public override async ValueTask CleanUpAsync()
    {
        if (_child is not null)
        {
            await _child.DisposeAsync();
        }

        if (_database is not null)
        {
            await _database.DisposeAsync();
        }
    }

    private static string Words(TimeSpan slice, int number) => $"{slice * number:m\\:ss} to {slice * (number + 1):m\\:ss}";

    private async Task<Figure[]> MeasureAsync(TimeSpan slice, bool isFirst)
    {
        if (isFirst)
        {
            await _child!.GoAsync();
        }

        var clock = Stopwatch.StartNew();
        _cost ??= await _database!.CostAsync();
        await Task.Delay(slice);
        var (stats, cost, before) = (await _child!.StatsAsync(), await _database!.CostAsync(), _cost!);
        var worked = stats.Count - _count;
        var seconds = clock.Elapsed.TotalSeconds;
        var (rows, bytes) = await _database.SizeAsync();
        Figure[] figures =
        [
            new("worked", worked / seconds, "entries/s"),
            new("entries kept", rows, ""),
            new("size", bytes / 1e6, "MB"),
            new("client CPU", (stats.CpuMilliseconds - _cpu) * 1000 / worked, "us"),
            new("server CPU", (cost.CpuMilliseconds - before.CpuMilliseconds) * 1000 / worked, "us"),
            new("log", (cost.LogBytes - before.LogBytes) / worked, "B"),
        ];
        (_count, _cost, _cpu) = (stats.Count, cost, stats.CpuMilliseconds);
        return figures;
    }
}
