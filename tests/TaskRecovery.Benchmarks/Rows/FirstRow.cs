using System.Diagnostics;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>The first seconds of a process that finds much to do.</summary>
internal sealed class FirstRow : BenchmarkRow
{
    private IBenchmarkDatabase? _template;

    public override string Name => "first";

    public override string Title => "The first seconds of a process";

    public override string Text
        => "Entries that do nothing are stored beforehand, and a process that has just started drains them with default options: nothing is"
        + " compiled or connected before. Where the case says so, the program was published with ReadyToRun, that is, compiled ahead of"
        + " time.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        var entries = environment.Size(100_000, 30_000);
        var template = _template = await store.CreateAsync();
        await template.FillAsync(new FillSpec(BenchmarkQueues.Measured, entries));
        await template.SettleAsync();
        List<BenchmarkCase> cases = [new BenchmarkCase($"{entries:N0} entries", () => MeasureAsync(store, template, entries))];
        if (environment.Published is { } folder)
        {
            cases.Add(new BenchmarkCase(
                $"{entries:N0} entries, published with ReadyToRun", () => MeasureAsync(store, template, entries, folder)));
        }

        return cases;
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<Figure[]> MeasureAsync(
        IBenchmarkStore store, IBenchmarkDatabase template, int entries, string? published = null)
    {
        await using var database = await store.CopyAsync(template);
        var before = await database.CostAsync();
        var (began, started) = (Stopwatch.GetTimestamp(), await database.NowAsync());
        await using var child = await ChildHandle.StartAsync(published, new ChildSpec
        {
            Role = "work",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Queues = [new QueueSpec(BenchmarkQueues.Measured)],
            Record = true,
        });
        await child.GoAsync();
        await new ChildGroup([child]).WaitForAsync(entries);
        var stats = await child.StatsAsync();
        var (count, last) = await database.OutcomesAsync(started);
        for (; count < entries; (count, last) = await database.OutcomesAsync(started))
        {
            await Task.Delay(50);
        }

        var after = await database.CostAsync();
        var firstStart = Stopwatch.GetElapsedTime(began, stats.Times[0].Where(static at => at > 0).Min()).TotalSeconds;
        var seconds = last - started;
        return
        [
            new("from the first start", entries / (seconds - firstStart), "entries/s"),
            new("from the start of the process", entries / seconds, "entries/s"),
            new("until the first start", firstStart * 1000, "ms"),
            new("compiled", stats.CompiledMethods, "methods"),
            new("compiling", stats.CompileMilliseconds, "ms"),
            new("client CPU", stats.ProcessCpuMilliseconds * 1000 / entries, "us"),
            new("server CPU", (after.CpuMilliseconds - before.CpuMilliseconds) * 1000 / entries, "us"),
            new("connections", after.Connections, ""),
        ];
    }
}
