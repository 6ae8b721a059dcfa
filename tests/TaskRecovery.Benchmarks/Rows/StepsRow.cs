using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Steps that handlers store.</summary>
internal sealed class StepsRow : BenchmarkRow
{
    private const int StepsPerEntry = 5;

    private IBenchmarkDatabase? _template;

    public override string Name => "steps";

    public override string Title => "Steps";

    public override string Text
        => $"Entries are stored beforehand, and each handler runs {StepsPerEntry} steps that do nothing."
        + " A step returns when its result is durable. The floor commits single rows on 8 connections.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        var entries = environment.Size(50_000, 20_000);
        var template = _template = await Drain.CreateTemplateAsync(store, entries);
        const string Floor = "single-row commits, 8 connections";
        var cases = new List<BenchmarkCase>();
        if (store.Name == "postgres")
        {
            var seconds = environment.Size(5, 2);
            cases.Add(new BenchmarkCase(Floor, () => CommitFloor.RunAsync(store, template, 8, seconds, inTransaction: false)));
        }

        foreach (var concurrency in (ReadOnlySpan<int>)[1, 20, 100])
        {
            var count = concurrency == 1 ? entries / 50 : entries;
            var floor = store.Name == "postgres" ? Floor : null;
            cases.Add(new BenchmarkCase($"concurrency {concurrency}", () => RunAsync(store, template, count, concurrency), floor));
        }

        return cases;
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<Figure[]> RunAsync(IBenchmarkStore store, IBenchmarkDatabase template, int entries, int concurrency)
    {
        await using var database = await store.CopyAsync(template);
        var drained = await Drain.WorkAsync(store.Name, database, entries, 1, concurrency, steps: StepsPerEntry);
        var steps = (double)drained.Count * StepsPerEntry;
        return
        [
            new("steps", steps / drained.Seconds, "steps/s"),
            new("client CPU", drained.ClientCpuMilliseconds * 1000 / steps, "us"),
            new("server CPU", drained.Cost.CpuMilliseconds * 1000 / steps, "us"),
            new("log", drained.Cost.LogBytes / steps, "B"),
            new("commits per 100", drained.Cost.Commits * 100 / steps, ""),
        ];
    }
}
