using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Enqueueing and working at the same time.</summary>
internal sealed class MixedRow : BenchmarkRow
{
    private IBenchmarkDatabase? _template;

    public override string Name => "mixed";

    public override string Title => "Enqueue and work at once";

    public override string Text
        => "A producer process enqueues at a steady rate in batches of 100, and a worker process runs with concurrency 100."
        + " How long after its enqueue an entry starts, and how many entries are finished."
        + " A case is named after the time that a handler takes and the rate.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        _template = await store.CreateAsync();
        await _template.SettleAsync();
        var seconds = environment.Size(10, 4);
        var full = store.Name == "sqlite" ? 5_000 : 20_000;
        return
        [
            new BenchmarkCase($"0 ms at {full:N0}/s", () => RunAsync(store, seconds, full, [0])),
            new BenchmarkCase("1 ms at 5,000/s", () => RunAsync(store, seconds, 5_000, [1])),
            new BenchmarkCase("50 ms at 1,000/s", () => RunAsync(store, seconds, 1_000, [50])),
            new BenchmarkCase("0, 1, 10 and 50 ms at 2,000/s", () => RunAsync(store, seconds, 2_000, [0, 1, 10, 0, 1, 50, 0, 1])),
        ];
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<Figure[]> RunAsync(IBenchmarkStore store, int seconds, int rate, int[] milliseconds)
    {
        await using var database = await store.CopyAsync(_template!);
        var count = Math.Min(seconds * rate, 100_000);
        await using var worker = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "work",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Queues = [new QueueSpec(BenchmarkQueues.Measured, 100), new QueueSpec(BenchmarkQueues.WarmUp, 100)],
            Record = true,
        });
        await using var producer = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "enqueue",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Parallel = 2,
            Batch = 100,
            Count = count,
            Rate = rate,
            Milliseconds = milliseconds,
            Record = true,
        });
        var started = await database.NowAsync();
        await worker.GoAsync();
        await producer.GoAsync();
        var enqueued = await producer.FinishedAsync();
        await using (var group = new ChildGroup([worker]))
        {
            await group.WaitForAsync(count);
            var worked = await worker.StatsAsync();
            var (_, last) = await database.OutcomesAsync(started);
            return [.. Latency.Figures(enqueued.Times[0], enqueued.Times[1], worked.Times[0], count).Take(3), new(
                "worked", count / (last - started), "entries/s")];
        }
    }
}
