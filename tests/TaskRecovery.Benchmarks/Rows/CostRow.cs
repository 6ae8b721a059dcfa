using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What an entry costs, and what nothing costs.</summary>
internal sealed class CostRow : BenchmarkRow
{
    private readonly List<IBenchmarkDatabase> _databases = [];

    public override string Name => "cost";

    public override string Title => "Cost";

    public override string Text
        => "Log, commits, statements and memory for an entry at concurrency 100, and the cost of an idle process that has worked before."
        + " Commits are those of transactions that wrote. Statements of the measurement itself are included.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        var entries = environment.Size(300_000, 100_000);
        var (filled, empty) = (await Drain.CreateTemplateAsync(store, entries), await store.CreateAsync());
        await empty.FillAsync(new FillSpec(BenchmarkQueues.WarmUp, 1));
        await empty.SettleAsync();
        _databases.AddRange([filled, empty]);
        return
        [
            new BenchmarkCase("claim and finish", () => WorkAsync(store, filled, entries)),
            new BenchmarkCase("enqueue, batches of 1,000", () => EnqueueAsync(store, empty, entries)),
            new BenchmarkCase("idle, 1 queue", () => IdleAsync(store, empty, environment.Size(45, 8), 1)),
            new BenchmarkCase("idle, 20 queues", () => IdleAsync(store, empty, environment.Size(45, 8), 20)),
        ];
    }

    public override async ValueTask CleanUpAsync()
    {
        foreach (var database in _databases)
        {
            await database.DisposeAsync();
        }
    }

    private static async Task<Figure[]> WorkAsync(IBenchmarkStore store, IBenchmarkDatabase template, int entries)
    {
        await using var database = await store.CopyAsync(template);
        await database.CountStatementsAsync(true);
        var drained = await Drain.WorkAsync(store.Name, database, entries, 1, 100);
        await database.CountStatementsAsync(false);
        return
        [
            new("log", drained.Cost.LogBytes / entries, "B"),
            new("commits per 100", drained.Cost.Writes * 100 / entries, ""),
            new("statements per 100", drained.Cost.Statements * 100 / entries, ""),
            new("allocated", drained.AllocatedBytes / entries, "B"),
            new("client CPU", drained.ClientCpuMilliseconds * 1000 / entries, "us"),
            new("server CPU", drained.Cost.CpuMilliseconds * 1000 / entries, "us"),
            new("connections", drained.Cost.Connections, ""),
        ];
    }

    private static async Task<Figure[]> EnqueueAsync(IBenchmarkStore store, IBenchmarkDatabase template, int entries)
    {
        await using var database = await store.CopyAsync(template);
        await using var child = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "enqueue",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Parallel = 2,
            Batch = 1_000,
            Count = entries,
        });
        var before = await database.CostAsync();
        await child.GoAsync();
        var stats = await child.FinishedAsync();
        var after = await database.CostAsync();
        return
        [
            new("log", (after.LogBytes - before.LogBytes) / entries, "B"),
            new("commits per 100", (after.Writes - before.Writes) * 100 / entries, ""),
            new("allocated", (double)stats.AllocatedBytes / entries, "B"),
            new("client CPU", stats.CpuMilliseconds * 1000 / entries, "us"),
            new("server CPU", (after.CpuMilliseconds - before.CpuMilliseconds) * 1000 / entries, "us"),
            new("connections", after.Connections, ""),
        ];
    }

    private static async Task<Figure[]> IdleAsync(IBenchmarkStore store, IBenchmarkDatabase template, int seconds, int queues)
    {
        await using var database = await store.CopyAsync(template);
        await using var child = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "work",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Queues = [new QueueSpec(BenchmarkQueues.WarmUp), .. Enumerable.Range(1, queues - 1).Select(
                number => new QueueSpec($"idle-{number}"))],

            // What is done once a second is compiled anew after 30 and after 60 times: that is not idling.
            IdleSeconds = seconds * 2 / 3.0,
        });
        await database.CountStatementsAsync(true);
        var before = await database.CostAsync();
        await child.GoAsync();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        var stats = await child.StatsAsync();
        var after = await database.CostAsync();
        await database.CountStatementsAsync(false);
        return
        [
            new("statements", Math.Max(0, after.Statements - before.Statements - OwnStatements) / stats.Seconds, "1/s"),
            new("client CPU", stats.CpuMilliseconds / stats.Seconds / 10, "% of a core"),
            new("server CPU", (after.CpuMilliseconds - before.CpuMilliseconds) / stats.Seconds / 10, "% of a core"),
            new("connections", after.Connections, ""),
        ];
    }

    /// <summary>What one reading of the counters adds to them.</summary>
    private const int OwnStatements = 7;
}
