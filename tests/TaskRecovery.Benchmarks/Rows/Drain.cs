using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What a drain took.</summary>
internal sealed record Drained(
    long Count, double Seconds, double ClientCpuMilliseconds, double CompileMilliseconds, double AllocatedBytes, StoreCost Cost,
    long[][] Times)
{
    public double PerSecond => Count / Seconds;

    /// <summary>The processor time of an entry in microseconds: of the clients, and of the server if there is one.</summary>
    public double ProcessorTime
        => (ClientCpuMilliseconds + (double.IsNaN(Cost.CpuMilliseconds) ? 0 : Cost.CpuMilliseconds)) * 1000 / Count;

    /// <summary>Entries a second, and what each of them cost.</summary>
    public Figure[] Figures() =>
    [
        new("entries", PerSecond, "entries/s"),
        new("processor", (ClientCpuMilliseconds + Cost.CpuMilliseconds) * 1000 / Count, "us"),
        new("client CPU", ClientCpuMilliseconds * 1000 / Count, "us"),
        new("server CPU", Cost.CpuMilliseconds * 1000 / Count, "us"),
        new("log", Cost.LogBytes / Count, "B"),
        new("batch", Count / Math.Max(1, Cost.Claims), "entries"),
    ];
}

/// <summary>Measures how fast what was stored beforehand is worked.</summary>
internal static class Drain
{
    private const int FloorWave = 20_000;

    /// <summary>Stores the entries that a floor drains before it is measured.</summary>
    public static async Task FillWarmUpAsync(IBenchmarkDatabase template)
    {
        for (var wave = 0; wave < WarmUp.MostWaves; wave++)
        {
            await template.FillAsync(new FillSpec(BenchmarkQueues.FloorWarmUp(wave), FloorWave));
        }
    }

    /// <summary>A database with entries in it, from which cases are copied.</summary>
    public static async Task<IBenchmarkDatabase> CreateTemplateAsync(IBenchmarkStore store, int entries)
    {
        var template = await store.CreateAsync();
        await FillWarmUpAsync(template);
        await template.FillAsync(new FillSpec(BenchmarkQueues.Measured, entries));
        await template.SettleAsync();
        return template;
    }

    /// <summary>Works the measured queue with processes of the library.</summary>
    /// <param name="store">The store's name.</param>
    /// <param name="database">The database.</param>
    /// <param name="entries">How many outcomes to wait for.</param>
    /// <param name="processes">How many processes.</param>
    /// <param name="concurrency">Each one's concurrency; <see langword="null"/> for the default.</param>
    /// <param name="during">Looks on while it runs.</param>
    /// <param name="record">Whether starts are recorded.</param>
    /// <param name="prefetch">How many each claims ahead; <see langword="null"/> for the default.</param>
    /// <param name="steps">How many steps each entry runs.</param>
    /// <param name="withoutStatistics">Whether no statistics are stored.</param>
    /// <param name="checkpoints">Whether each entry stores checkpoints instead of steps.</param>
    /// <param name="queueEach">Whether each process works a queue of its own.</param>
    public static async Task<Drained> WorkAsync(
        string store, IBenchmarkDatabase database, int entries, int processes, int? concurrency,
        Func<Func<Task<long>>, Task>? during = null, bool record = false,
        int? prefetch = null, int steps = 0, bool withoutStatistics = false, bool checkpoints = false, bool queueEach = false)
    {
        string[] queues = [.. Enumerable.Range(0, queueEach ? processes : 1).Select(BenchmarkQueues.MeasuredBy)];
        await SetPausedAsync(database, queues, paused: true);
        var specs = Enumerable.Range(0, processes).Select(process => new ChildSpec
        {
            Role = "work",
            Store = store,
            ConnectionString = database.ConnectionString,
            Queues = [new QueueSpec(queues[process % queues.Length], concurrency, prefetch), new QueueSpec(
                $"{BenchmarkQueues.WarmUp}-{process}", 100)],
            Record = record,
            Steps = steps,
            Checkpoints = checkpoints,
            WithoutStatistics = withoutStatistics,
        });
        await using var children = new ChildGroup(await ChildHandle.StartAsync([.. specs]));
        return await MeasureAsync(children, database, entries, () => SetPausedAsync(database, queues, paused: false), during);
    }

    /// <summary>The same without the engine.</summary>
    public static async Task<Drained> FloorAsync(
        string store, IBenchmarkDatabase database, int entries, int batch,
        int claimers = 4, bool throughStore = false, bool startsTasks = false)
    {
        var spec = new ChildSpec
        {
            Role = "drain-floor",
            Store = store,
            ConnectionString = database.ConnectionString,
            Parallel = claimers,
            Batch = batch,
            ThroughStore = throughStore,
            StartsTasks = startsTasks,
        };
        await using var children = new ChildGroup(await ChildHandle.StartAsync([spec]));
        return await MeasureAsync(children, database, entries, () => Task.CompletedTask, null);
    }

    private static Task SetPausedAsync(IBenchmarkDatabase database, string[] queues, bool paused)
        => Task.WhenAll(queues.Select(queue => database.SetPausedAsync(queue, paused)));

    private static async Task<Drained> MeasureAsync(
        ChildGroup children, IBenchmarkDatabase database, int entries, Func<Task> begin, Func<Func<Task<long>>, Task>? during)
    {
        var compiled = Compiled(await children.StatsAsync());
        var before = await database.CostAsync();
        var started = await database.NowAsync();
        await children.GoAsync();
        await begin();
        if (during is not null)
        {
            await during(children.CountAsync);
        }

        await children.WaitForAsync(entries);
        var stats = await children.StatsAsync();
        var (count, last) = await database.OutcomesAsync(started);
        for (; count < entries; (count, last) = await database.OutcomesAsync(started))
        {
            await Task.Delay(50);
        }

        var after = await database.CostAsync();
        var cost = new StoreCost(
            after.LogBytes - before.LogBytes,
            after.Commits - before.Commits,
            after.Statements - before.Statements,
            after.Claims - before.Claims,
            after.CpuMilliseconds - before.CpuMilliseconds,
            after.Connections)
        {
            Writes = after.Writes - before.Writes,
        };
        return new Drained(
            count, last - started, stats.Sum(one => one.CpuMilliseconds), Compiled(stats) - compiled,
            stats.Sum(one => one.AllocatedBytes), cost, [.. stats.SelectMany(one => one.Times)]);
    }

    private static double Compiled(ChildStats[] stats) => stats.Sum(one => one.CompileMilliseconds);
}
