using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Enqueues in the transactions of their callers.</summary>
internal sealed class TransactionRow : BenchmarkRow
{
    private IBenchmarkDatabase? _template;

    public override string Name => "transaction";

    public override string Title => "Enqueue in the caller's transaction";

    public override string Text
        => "Each caller takes a connection from a pool of its own, begins a transaction, enqueues in it and commits."
        + " The floor inserts as many rows of about the same size into a table of its own instead.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        var template = _template = await store.CreateAsync();
        await template.FillAsync(new FillSpec(BenchmarkQueues.WarmUp, 1));
        await template.SettleAsync();
        double seconds = environment.Size(5, 2);
        var cases = new List<BenchmarkCase>();
        foreach (var callers in (ReadOnlySpan<int>)[8, 64])
        {
            var floor = $"insert and commit, {callers} callers";
            cases.Add(new BenchmarkCase(floor, () => CommitFloor.RunAsync(store, template, callers, seconds, inTransaction: true)));
            cases.Add(new BenchmarkCase($"{callers} callers", () => RunAsync(store, template, callers, batch: 1, seconds), floor));
            cases.Add(new BenchmarkCase(
                $"{callers} callers, unique keys",
                () => RunAsync(store, template, callers, batch: 1, seconds, hasKeys: true), floor));
        }

        const string Ten = "insert and commit, 8 callers, 10 rows each";
        cases.Add(new BenchmarkCase(Ten, () => CommitFloor.RunAsync(store, template, callers: 8, seconds, inTransaction: true, rows: 10)));
        cases.Add(new BenchmarkCase("8 callers, 10 entries each", () => RunAsync(store, template, callers: 8, batch: 10, seconds), Ten));
        return cases;
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<Figure[]> RunAsync(
        IBenchmarkStore store, IBenchmarkDatabase template, int callers, int batch, double seconds, bool hasKeys = false)
    {
        await using var database = await store.CopyAsync(template);
        var spec = new ChildSpec
        {
            Role = "enqueue",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Parallel = callers,
            Batch = batch,
            Seconds = seconds,
            InTransaction = true,
            HasKeys = hasKeys,
        };
        await using var child = await ChildHandle.StartAsync(spec);
        var before = await database.CostAsync();
        await child.GoAsync();
        var stats = await child.FinishedAsync();
        var after = await database.CostAsync();
        var transactions = (double)stats.Count / batch;
        return
        [
            new("transactions", transactions / stats.Seconds, "transactions/s"),
            new("client CPU", stats.CpuMilliseconds * 1000 / transactions, "us"),
            new("server CPU", (after.CpuMilliseconds - before.CpuMilliseconds) * 1000 / transactions, "us"),
            new("log", (after.LogBytes - before.LogBytes) / transactions, "B"),
        ];
    }
}
