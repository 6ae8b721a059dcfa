using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Working off what is stored.</summary>
internal sealed class DrainRow : BenchmarkRow
{
    private IBenchmarkDatabase? _template;

    public override string Name => "drain";

    public override string Title => "Drain";

    public override string Text
        => "Entries that do nothing are stored beforehand, then claimed, run, finished and kept as history. Floors run four claimers.";

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
        foreach (var (processes, concurrency) in (ReadOnlySpan<(int, int)>)[(1, 1), (1, 10), (1, 100), (1, 1_000), (2, 100), (4, 100)])
        {
            var count = concurrency == 1 ? entries / 10 : entries;
            cases.Add(Case(
                $"{processes} process{(processes > 1 ? "es" : "")}, concurrency {concurrency:N0}", floor,
                database => Drain.WorkAsync(name, database, count, processes, concurrency)));
        }

        return cases;

        BenchmarkCase Case(string title, string? beside, Func<IBenchmarkDatabase, Task<Drained>> measure) => new(
            title,
            async () =>
            {
                await using var database = await store.CopyAsync(template);
                return (await measure(database)).Figures();
            },
            beside);
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;
}
