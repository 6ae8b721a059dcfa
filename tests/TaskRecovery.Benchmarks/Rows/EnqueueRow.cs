using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Putting entries on the queue.</summary>
internal sealed class EnqueueRow : BenchmarkRow
{
    private IBenchmarkDatabase? _template;

    public override string Name => "enqueue";

    public override string Title => "Enqueue";

    public override string Text => "One process enqueues through IJobQueue, and no worker runs. A call returns when its entry is durable.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        _template = await store.CreateAsync();
        await _template.FillAsync(new FillSpec(BenchmarkQueues.WarmUp, 1));
        await _template.SettleAsync();
        double seconds = environment.Size(3, 1);
        var cases = new List<BenchmarkCase>();
        Add("1 caller", 1, 1);
        Add("8 callers", 8, 1);
        Add("64 callers", 64, 1, floorCallers: 8);
        Add("batches of 100", 4, 100);
        Add("batches of 10,000", 2, 10_000);
        Add("8 callers, 10 KB", 8, 1, bytes: 10_240);
        Add("batches of 100, 10 KB", 4, 100, bytes: 10_240);
        return cases;

        void Add(string title, int callers, int batch, int bytes = 100, int? floorCallers = null)
        {
            var spec = new ChildSpec
            {
                Role = "enqueue",
                Store = store.Name,
                ConnectionString = "",
                Parallel = callers,
                Batch = batch,
                ArgsBytes = bytes,
                Seconds = seconds,
            };
            var floor = $"{store.FloorName}, {floorCallers ?? callers} x {batch:N0}{(bytes > 1000 ? ", 10 KB" : "")}";
            if (cases.TrueForAll(other => other.Name != floor))
            {
                cases.Add(new BenchmarkCase(
                    floor, () => RunAsync(store, spec with { Role = "enqueue-floor", Parallel = floorCallers ?? callers })));
            }

            cases.Add(new BenchmarkCase(title, () => RunAsync(store, spec), floor));
        }
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<Figure[]> RunAsync(IBenchmarkStore store, ChildSpec spec)
    {
        await using var database = await store.CopyAsync(_template!);
        await using var child = await ChildHandle.StartAsync(spec with { ConnectionString = database.ConnectionString });
        var before = await database.CostAsync();
        await child.GoAsync();
        var stats = await child.FinishedAsync();
        var after = await database.CostAsync();
        return
        [
            new("entries", stats.Count / stats.Seconds, "entries/s"),
            new("client CPU", stats.CpuMilliseconds * 1000 / stats.Count, "us"),
            new("server CPU", (after.CpuMilliseconds - before.CpuMilliseconds) * 1000 / stats.Count, "us"),
            new("log", (after.LogBytes - before.LogBytes) / stats.Count, "B"),
            new("allocated", (double)stats.AllocatedBytes / stats.Count, "B"),
        ];
    }
}
