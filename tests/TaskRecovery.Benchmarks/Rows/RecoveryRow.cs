using System.Diagnostics;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>How soon the work of a killed process runs again.</summary>
internal sealed class RecoveryRow : BenchmarkRow
{
    private IBenchmarkDatabase? _template;

    public override string Name => "recovery";

    public override string Title => "Recovery after kill -9";

    public override string Text
        => "A process that runs entries that never end is killed."
        + " Time from the kill until another process, which was running already, runs all of these entries again.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        _template = await environment.Store.CreateAsync();
        await _template.SettleAsync();
        return
        [
            new BenchmarkCase("1 entry", () => RunAsync(environment.Store, 1)),
            new BenchmarkCase("10,000 entries", () => RunAsync(environment.Store, 10_000)),
        ];
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<Figure[]> RunAsync(IBenchmarkStore store, int entries)
    {
        await using var database = await store.CopyAsync(_template!);
        var spec = new ChildSpec
        {
            Role = "work",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Queues = [new QueueSpec(
            BenchmarkQueues.Measured, 10_000, 0)]
        };
        await using var first = await ChildHandle.StartAsync(spec);
        await using var producer = await ChildHandle.StartAsync(
            spec with { Role = "enqueue", Batch = Math.Min(entries, 1_000), Count = entries, Milliseconds = [-1] });
        await producer.GoAsync();
        await producer.FinishedAsync();
        await using var group = new ChildGroup([first]);
        await group.WaitForAsync(entries);
        await using var second = await ChildHandle.StartAsync(spec);
        await Task.Delay(TimeSpan.FromSeconds(3));

        var clock = Stopwatch.StartNew();
        await first.KillAsync();
        await using var others = new ChildGroup([second]);
        var firstAgain = TimeSpan.Zero;
        long count;
        while ((count = await others.CountAsync()) < entries)
        {
            if (count > 0 && firstAgain == TimeSpan.Zero)
            {
                firstAgain = clock.Elapsed;
            }

            await Task.Delay(5);
        }

        return [new("all run again", clock.Elapsed.TotalSeconds, "s"), new(
            "the first", (firstAgain == TimeSpan.Zero ? clock.Elapsed : firstAgain).TotalSeconds, "s")];
    }
}
