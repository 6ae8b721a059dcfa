using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>How soon an entry runs.</summary>
internal sealed class PickupRow : BenchmarkRow
{
    private const double IdleRate = 40;

    // About what the warm-ups of the other cases leave behind.
    private const int History = 60_000;

    private IBenchmarkDatabase? _template;
    private TimeSpan _rest;

    public override string Name => "pickup";

    public override string Title => "Pickup latency";

    public override string Text
        => "Time from the return of the enqueue call to the start of the handler, and time from the call itself."
        + " Before an idle case and the floor, the processes rest until the store uses its connections as in an idle process."
        + " Entries come every 25 ms, or at random times with that mean, or, under load, beside others:"
        + " load means that they arrive at half the rate at which one process drains them. The floor enqueues, sends a hint, listens and"
        + " claims with the store's statements on connections of its own, so it waits for the same two commits.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        _template = await store.CreateAsync();
        await _template.SettleAsync();
        _rest = TimeSpan.FromSeconds(environment.Size(60, 45));
        var (count, loaded) = (environment.Size(4_000, 2_000), environment.Size(1_000, 200));
        var floor = store.Name == "postgres" ? $"{store.FloorName}, other process" : null;
        var cases = new List<BenchmarkCase>();
        if (floor is not null)
        {
            cases.Add(new BenchmarkCase(floor, () => FloorAsync(store, count)));
        }

        cases.Add(new BenchmarkCase("idle, other process", () => OtherProcessAsync(store, count), floor));
        cases.Add(new BenchmarkCase(
            "idle, other process, at random times", () => OtherProcessAsync(store, count, isRandom: true), floor));
        cases.Add(new BenchmarkCase("idle, same process", () => SameProcessAsync(store, count)));
        cases.Add(new BenchmarkCase(
            "50 % load, other process", () => OtherProcessAsync(store, loaded, load: store.Name == "sqlite" ? 5_000 : 20_000)));
        return cases;
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task RestAsync(IBenchmarkDatabase database)
    {
        await database.CatchUpAsync();
        await Task.Delay(_rest);
    }

    private async Task<Figure[]> FloorAsync(IBenchmarkStore store, int count)
    {
        await using var database = await store.CopyAsync(_template!);
        await database.FillAsync(new FillSpec(BenchmarkQueues.WarmUp, History) { Ended = true });
        await using var child = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "pickup-floor",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Count = count,
            Rate = IdleRate,
        });
        await RestAsync(database);
        await child.GoAsync();
        var stats = await child.FinishedAsync();
        return Latency.Figures(stats.Times[0], stats.Times[1], stats.Times[2], count);
    }

    private async Task<Figure[]> OtherProcessAsync(IBenchmarkStore store, int count, bool isRandom = false, double load = 0)
    {
        await using var database = await store.CopyAsync(_template!);
        var work = new ChildSpec
        {
            Role = "work",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Queues = [new QueueSpec(BenchmarkQueues.Measured), new QueueSpec("load", 100), new QueueSpec(BenchmarkQueues.WarmUp, 100)],
            Record = true,
        };
        var produce = new ChildSpec
        {
            Role = "enqueue",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Parallel = isRandom ? 4 : 1,
            Count = count,
            Rate = IdleRate,
            IsRandom = isRandom,
            Record = true,
        };
        await using var worker = await ChildHandle.StartAsync(work);
        await using var producer = await ChildHandle.StartAsync(produce);
        ChildHandle? background = null;
        if (load > 0)
        {
            // Numbers so large are not recorded.
            background = await ChildHandle.StartAsync(produce with
            {
                Queue = "load",
                Rate = load,
                Batch = 100,
                Count = 0,
                Seconds = count / IdleRate,
                Record = false,
                FirstNumber = 1 << 20,
            });
            await background.GoAsync();
        }
        else
        {
            await RestAsync(database);
        }

        await worker.GoAsync();
        await producer.GoAsync();
        var enqueued = await producer.FinishedAsync();
        await Task.Delay(500);
        var worked = await worker.StatsAsync();
        if (background is not null)
        {
            await background.DisposeAsync();
        }

        return Latency.Figures(enqueued.Times[0], enqueued.Times[1], worked.Times[0], count);
    }

    private async Task<Figure[]> SameProcessAsync(IBenchmarkStore store, int count)
    {
        await using var database = await store.CopyAsync(_template!);
        await using var child = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "work",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Queues = [new QueueSpec(BenchmarkQueues.Measured), new QueueSpec(BenchmarkQueues.WarmUp, 100)],
            Count = count,
            Rate = IdleRate,
            Record = true,
        });
        await RestAsync(database);
        await child.GoAsync();
        await child.FinishedAsync();
        await Task.Delay(500);
        var stats = await child.StatsAsync();
        return Latency.Figures(stats.Times[1], stats.Times[2], stats.Times[0], count);
    }
}
