using System.Diagnostics;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What an old snapshot does to a drain.</summary>
internal sealed class SnapshotRow : BenchmarkRow
{
    private const string Without = "no snapshot held";
    private const int UrgentNumber = (1 << 18) - 1;

    private IBenchmarkDatabase? _template;

    public override string Name => "snapshot";

    public override string Title => "An old snapshot held open";

    public override string Text
        => "One process with concurrency 100, while another session holds an older snapshot."
        + " The last tenth is also shown on its own, and so is the time until an urgent entry starts near the end.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var entries = environment.Size(500_000, 150_000);
        _template = await Drain.CreateTemplateAsync(environment.Store, entries);
        return
        [
            new BenchmarkCase(Without, () => RunAsync(environment.Store, entries, false)),
            new BenchmarkCase("snapshot held", () => RunAsync(environment.Store, entries, true), Without),
        ];
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<Figure[]> RunAsync(IBenchmarkStore store, int entries, bool held)
    {
        await using var database = await store.CopyAsync(_template!);
        await using var urgent = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "enqueue",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Count = 1,
            FirstNumber = UrgentNumber,
            Priority = 0,
            Record = true,
        });
        await using var snapshot = held ? await database.HoldSnapshotAsync() : null;
        var (tenth, clock, urgentTimes) = (0.0, Stopwatch.StartNew(), (ChildStats?)null);
        var drained = await Drain.WorkAsync(
            store.Name,
            database,
            entries + 1,
            1,
            100,
            async count =>
            {
                while (await count() < entries * 8 / 10)
                {
                    await Task.Delay(10);
                }

                await urgent.GoAsync();
                urgentTimes = await urgent.FinishedAsync();
                while (await count() < entries * 9 / 10)
                {
                    await Task.Delay(5);
                }

                var (first, since) = (await count(), clock.Elapsed);
                long last;
                while ((last = await count()) < entries - 2_000)
                {
                    await Task.Delay(5);
                }

                tenth = (last - first) / (clock.Elapsed - since).TotalSeconds;
            },
            record: true);
        var started = drained.Times[0][UrgentNumber];
        return
        [
            .. drained.Figures().Take(1),
            new("in the last tenth", tenth, "entries/s"),
            new("urgent entry starts after", Math.Max(0, Latency.Milliseconds(urgentTimes!.Times[1][UrgentNumber], started)), "ms"),
        ];
    }

}
