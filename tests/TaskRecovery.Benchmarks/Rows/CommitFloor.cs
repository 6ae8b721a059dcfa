using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Measures how many transactions are committed that insert a row or a few.</summary>
internal static class CommitFloor
{
    public static async Task<Figure[]> RunAsync(
        IBenchmarkStore store, IBenchmarkDatabase template, int callers, double seconds, bool inTransaction, int rows = 1)
    {
        await using var database = await store.CopyAsync(template);
        var spec = new ChildSpec
        {
            Role = "commit-floor",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Parallel = callers,
            Batch = rows,
            Seconds = seconds,
            InTransaction = inTransaction,
        };
        await using var child = await ChildHandle.StartAsync(spec);
        var before = await database.CostAsync();
        await child.GoAsync();
        var stats = await child.FinishedAsync();
        var after = await database.CostAsync();
        return
        [
            new("commits", stats.Count / stats.Seconds, "commits/s"),
            new("client CPU", stats.CpuMilliseconds * 1000 / stats.Count, "us"),
            new("server CPU", (after.CpuMilliseconds - before.CpuMilliseconds) * 1000 / stats.Count, "us"),
        ];
    }
}
