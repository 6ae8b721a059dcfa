using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Steps that handlers store.</summary>
internal sealed class StepsRow : BenchmarkRow
{
    private const int StepsPerEntry = 5;
    private const int Connections = 8;

    private IBenchmarkDatabase? _template;

    public override string Name => "steps";

    public override string Title => "Steps";

    public override string Text
        => $"Entries are stored beforehand, and each handler runs {StepsPerEntry} steps that do nothing."
        + " A step returns when its result is durable. In the cases named so, handlers store as many checkpoints instead."
        + $" The floor commits single rows on {Connections} connections, or on one where a single handler runs.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        var entries = environment.Size(50_000, 20_000);
        var template = _template = await Drain.CreateTemplateAsync(store, entries);
        var hasFloor = store.Name == "postgres";
        var (single, several) = (Floor(1), Floor(Connections));
        var cases = new List<BenchmarkCase>();
        if (hasFloor)
        {
            cases.Add(single);
            cases.Add(several);
        }

        foreach (var concurrency in (ReadOnlySpan<int>)[1, 20, 100])
        {
            var count = concurrency == 1 ? entries / 50 : entries;
            Add($"concurrency {concurrency}", concurrency == 1 ? single : several, () => RunAsync(store, template, count, concurrency));
        }

        foreach (var concurrency in (ReadOnlySpan<int>)[20, 100])
        {
            Add(
                $"concurrency {concurrency}, checkpoints", several,
                () => RunAsync(store, template, entries, concurrency, checkpoints: true));
        }

        return cases;

        void Add(string name, BenchmarkCase floor, Func<Task<Figure[]>> measure)
            => cases.Add(new BenchmarkCase(name, measure, hasFloor ? floor.Name : null));

        BenchmarkCase Floor(int connections) => new(
            $"single-row commits, {connections} connection{(connections > 1 ? "s" : "")}",
            () => CommitFloor.RunAsync(store, template, connections, environment.Size(5, 2), inTransaction: false));
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<Figure[]> RunAsync(
        IBenchmarkStore store, IBenchmarkDatabase template, int entries, int concurrency, bool checkpoints = false)
    {
        await using var database = await store.CopyAsync(template);
        var drained = await Drain.WorkAsync(
            store.Name, database, entries, 1, concurrency, steps: StepsPerEntry, checkpoints: checkpoints);
        var steps = (double)drained.Count * StepsPerEntry;
        return
        [
            new(checkpoints ? "checkpoints" : "steps", steps / drained.Seconds, checkpoints ? "checkpoints/s" : "steps/s"),
            new("client CPU", drained.ClientCpuMilliseconds * 1000 / steps, "us"),
            new("server CPU", drained.Cost.CpuMilliseconds * 1000 / steps, "us"),
            new("log", drained.Cost.LogBytes / steps, "B"),
            new("commits per 100", drained.Cost.Writes * 100 / steps, ""),
        ];
    }
}
