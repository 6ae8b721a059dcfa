using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Working off what is stored.</summary>
internal sealed class DrainRow : BenchmarkRow
{
    private const int Concurrency = 100;

    private IBenchmarkDatabase? _template;

    // What an entry took of the processor in the last round of the case with one process.
    private double _alone = double.NaN;

    public override string Name => "drain";

    public override string Title => "Drain";

    public override string Text
        => "Entries that do nothing are stored beforehand, then claimed, run, finished and kept as history. Floors run four claimers."
        + " With several processes there are as many entries for each. \"Of 1 process\" is the processor time of an entry, divided by that"
        + $" of one process with concurrency {Concurrency}; \"compiling\" is the time that the processes spent compiling while they ran.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var entries = environment.Size(300_000, 100_000);
        var (store, name) = (environment.Store, environment.Store.Name);
        var template = _template = await Drain.CreateTemplateAsync(store, entries);
        var (floor, hundred) = ($"{store.FloorName}, batches of 1,000", $"{store.FloorName}, batches of 100");
        var cases = new List<BenchmarkCase>
        {
            Case(floor, null, database => Drain.FloorAsync(name, database, entries, 1_000)),
            Case(hundred, null, database => Drain.FloorAsync(name, database, entries, 100)),
        };
        if (store.FloorName != StoreFloors.Name)
        {
            cases.Add(Case($"{StoreFloors.Name}, batches of 1,000", floor, database => Drain.FloorAsync(
                name, database, entries, 1_000, throughStore: true)));
        }

        cases.Add(Case("1 process, default options", floor, database => Drain.WorkAsync(name, database, entries, 1, null)));
        foreach (var concurrency in (ReadOnlySpan<int>)[1, 10, Concurrency, 1_000])
        {
            var count = concurrency == 1 ? entries / 10 : entries;
            cases.Add(Case(
                $"1 process, concurrency {concurrency:N0}", floor,
                async database =>
                {
                    var drained = await Drain.WorkAsync(name, database, count, 1, concurrency);
                    _alone = concurrency == Concurrency ? drained.ProcessorTime : _alone;
                    return drained;
                }));
        }

        foreach (var processes in (ReadOnlySpan<int>)[2, 4])
        {
            cases.Add(Several($"{processes} processes, concurrency {Concurrency}", processes, queueEach: false));
        }

        cases.Add(Several($"4 processes, concurrency {Concurrency}, a queue each", 4, queueEach: true));
        return cases;

        BenchmarkCase Several(string title, int processes, bool queueEach) => Case(
            title, floor,
            async database =>
            {
                for (var process = 1; process < processes; process++)
                {
                    await database.FillAsync(new FillSpec(BenchmarkQueues.MeasuredBy(queueEach ? process : 0), entries));
                }

                await database.SettleAsync();
                return await Drain.WorkAsync(name, database, entries * processes, processes, Concurrency, queueEach: queueEach);
            },
            isCompared: true);

        BenchmarkCase Case(string title, string? beside, Func<IBenchmarkDatabase, Task<Drained>> measure, bool isCompared = false) => new(
            title,
            async () =>
            {
                await using var database = await store.CopyAsync(template);
                var drained = await measure(database);
                return
                [
                    .. drained.Figures(),
                    new("compiling", drained.CompileMilliseconds, "ms"),
                    new("of 1 process", isCompared ? drained.ProcessorTime / _alone : double.NaN, "x"),
                ];
            },
            beside);
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;
}
