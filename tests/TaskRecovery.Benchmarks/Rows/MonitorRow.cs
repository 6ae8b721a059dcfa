using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What an operator's questions and actions take with a long history, and what they cost the workers.</summary>
internal sealed class MonitorRow : BenchmarkRow
{
    private const int Questions = 25;
    private const int BulkEntries = 100_000;
    private const int OldWaiting = 1_000;
    private const int Running = 300;
    private const string Waiting = "waiting";
    private const string Rare = "rare";
    private const string DrainAlone = "drain, nobody looks";
    private const string PickupAlone = "pickup, nobody acts";
    private const string HistoryAlone = "drain beside the history, nobody looks";

    private static readonly AuditInfo Actor = new("benchmark");

    private IBenchmarkDatabase? _history;
    private IBenchmarkDatabase? _drain;

    public override string Name => "monitor";

    public override string Title => "Monitor and operator";

    public override string Text
        => "A history of ended entries of a week, of 50 nodes and 10 kinds, 1 % of them failed, with metadata on every tenth one, counted"
            + " by the hour; 300 running entries, and 100,000 waiting, 1,000 of them older than the history. The median of 25 questions of"
            + " each sort, as the caller sees them; for a snapshot also the statements and the time in the store. Then pages of the"
            + " dashboard in a process of its own, as times in that process: the overview for one viewer, and for 20 who ask as its script"
            + " does, lists, and entries. Then a bulk cancellation, the pickup latency beside it, a drain by one process while a snapshot"
            + " is taken every 2 s, and one beside the history while 20 viewers look at all pages.";

    public override bool IsPartOfAll => false;

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        var history = _history = await store.CreateAsync();
        await history.FillAsync(new FillSpec(Waiting, OldWaiting) { Later = true });
        await history.FillAsync(new FillSpec("history", 1_000) { Ended = true, Lived = true, Kind = Rare });
        await history.FillAsync(new FillSpec("history", environment.History / 100) { Ended = true, Failed = true, Lived = true });
        for (var kind = 1; kind <= 8; kind++)
        {
            await history.FillAsync(new FillSpec($"history-{kind % 3}", 1_000) { Ended = true, Lived = true, Kind = $"kind-{kind}" });
        }

        await history.FillAsync(new FillSpec("history", environment.History) { Ended = true, Lived = true });
        await history.FillAsync(new FillSpec("history", Running) { Running = true });
        await history.FillAsync(new FillSpec(Waiting, BulkEntries - OldWaiting));
        await history.SettleAsync();
        var dashboard = new DashboardCases(store, history, environment);
        var entries = environment.Size(300_000, 100_000);
        var drain = _drain = await Drain.CreateTemplateAsync(store, entries);
        var pickups = environment.Size(1_000, 400);
        return
        [
            new BenchmarkCase("snapshot", () => SnapshotAsync(store, history)),
            new BenchmarkCase("list", () => ListAsync(store, history)),
            new BenchmarkCase("one entry's life", () => LifeAsync(store, history, environment.History)),
            new BenchmarkCase("dashboard, the overview for one viewer", dashboard.OverviewAloneAsync),
            new BenchmarkCase("dashboard, the overview for 20 viewers", dashboard.OverviewAsync),
            new BenchmarkCase("dashboard, lists", dashboard.ListsAsync),
            new BenchmarkCase("dashboard, entries", dashboard.EntriesAsync),
            new BenchmarkCase(PickupAlone, () => PickupAsync(store, history, pickups, acts: false)),
            new BenchmarkCase("pickup beside a bulk cancellation", () => PickupAsync(store, history, pickups, acts: true), PickupAlone),
            new BenchmarkCase(DrainAlone, () => DrainAsync(store, drain, entries, looks: false)),
            new BenchmarkCase("drain, a snapshot every 2 s", () => DrainAsync(store, drain, entries, looks: true), DrainAlone),
            new BenchmarkCase(
                "drain without statistics", () => DrainAsync(store, drain, entries, looks: false, withoutStatistics: true), DrainAlone),
            new BenchmarkCase(HistoryAlone, () => DrainBesideHistoryAsync(store, history, entries, hasViewers: false)),
            new BenchmarkCase(
                "drain beside the history, 20 viewers", () => DrainBesideHistoryAsync(store, history, entries, hasViewers: true),
                HistoryAlone),
        ];
    }

    public override async ValueTask CleanUpAsync()
    {
        await (_history?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_drain?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private static IHost Tool(IBenchmarkStore store, IBenchmarkDatabase database)
        => BenchmarkHost.Create(store.Name, database.ConnectionString, builder => builder.AddKind<BenchmarkArgs>());

    private static async Task<Figure[]> SnapshotAsync(IBenchmarkStore store, IBenchmarkDatabase database)
    {
        using var tool = Tool(store, database);
        var monitor = tool.Services.GetRequiredService<IQueueMonitor>();
        await MedianAsync(() => monitor.GetSnapshotAsync().AsTask());
        var median = 0.0;
        var cost = await StatementCost.OfAsync(
            database, async () => median = await MedianAsync(() => monitor.GetSnapshotAsync().AsTask()));
        return
        [
            new("snapshot", median, "ms"),
            new("statements", cost.Statements / Questions, ""),
            new("in the store", cost.Milliseconds / Questions, "ms"),
        ];
    }

    private static async Task<Figure[]> ListAsync(IBenchmarkStore store, IBenchmarkDatabase database)
    {
        using var tool = Tool(store, database);
        var monitor = tool.Services.GetRequiredService<IQueueMonitor>();
        var now = DateTimeOffset.UtcNow;
        (string Name, EntryQuery Query)[] queries =
        [
            ("all", new EntryQuery()),
            ("waiting", new EntryQuery { States = [EntryState.Waiting] }),
            ("completed", new EntryQuery { States = [EntryState.Completed] }),
            ("failed", new EntryQuery { States = [EntryState.Failed] }),
            ("running", new EntryQuery { States = [EntryState.Running] }),
            ("queue", new EntryQuery { Queue = "history" }),
            ("rare kind", new EntryQuery { Kind = Rare }),
            ("reason", new EntryQuery { Reason = EndReasons.CrashLoop }),
            ("waiting, running", new EntryQuery { States = [EntryState.Waiting, EntryState.Running] }),
            ("node", new EntryQuery { Node = "node-1" }),
            ("node, failed", new EntryQuery { Node = "node-1", States = [EntryState.Failed] }),
            ("node, rare kind", new EntryQuery { Node = "node-1", Kind = "kind-1" }),
            ("no such node", new EntryQuery { Node = "nobody" }),
            ("unique key", new EntryQuery { UniqueKey = "none" }),
            ("job", new EntryQuery { JobId = Guid.NewGuid() }),
            ("created", new EntryQuery { CreatedTo = now.AddDays(-1) }),
            ("ended", new EntryQuery { EndedTo = now.AddDays(-1) }),
            ("ended in a second", new EntryQuery { EndedFrom = now.AddHours(-3), EndedTo = now.AddHours(-3).AddSeconds(1) }),
            ("metadata", new EntryQuery { Metadata = new("customer", "70") }),
            ("no such metadata", new EntryQuery { Metadata = new("customer", "none") }),
            ("text", new EntryQuery { Text = "missing" }),
        ];
        var figures = new List<Figure>();
        foreach (var (name, query) in queries)
        {
            figures.Add(new Figure(name, await MedianAsync(() => monitor.ListAsync(query).AsTask()), "ms"));
        }

        return [.. figures];
    }

    private static async Task<Figure[]> LifeAsync(IBenchmarkStore store, IBenchmarkDatabase database, int history)
    {
        using var tool = Tool(store, database);
        var monitor = tool.Services.GetRequiredService<IQueueMonitor>();
        var number = 0;
        return [new("life", await MedianAsync(() => monitor.GetLifeAsync(1 + (number += 7_919) % history).AsTask()), "ms")];
    }

    private static async Task<Figure[]> PickupAsync(IBenchmarkStore store, IBenchmarkDatabase template, int count, bool acts)
    {
        await using var database = await store.CopyAsync(template);
        var work = new ChildSpec
        {
            Role = "work",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Queues = [new QueueSpec(BenchmarkQueues.Measured), new QueueSpec(BenchmarkQueues.WarmUp, 100)],
            Record = true,
        };
        var produce = new ChildSpec
        {
            Role = "enqueue",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Count = count,
            Rate = 40,
            Record = true,
        };
        await using var worker = await ChildHandle.StartAsync(work);
        await using var producer = await ChildHandle.StartAsync(produce);
        using var tool = Tool(store, database);
        var operate = tool.Services.GetRequiredService<IQueueOperator>();
        var request = new BulkRequest { Action = BulkAction.Cancel, Query = new EntryQuery { Queue = Waiting } };
        var preview = acts ? await operate.PreviewAsync(request, Actor) : null;
        await worker.GoAsync();
        await producer.GoAsync();
        var rate = double.NaN;
        if (preview is not null)
        {
            await operate.StartAsync(preview.OperationId, Actor);
            var started = Stopwatch.GetTimestamp();
            while (await operate.ContinueAsync(preview.OperationId) is { State: OperationState.Running })
            {
            }

            var done = (await operate.FindOperationAsync(preview.OperationId))!;
            rate = done.Done == BulkEntries
                ? done.Done / Stopwatch.GetElapsedTime(started).TotalSeconds
                : throw new InvalidOperationException($"{done.Done} of {BulkEntries} entries were cancelled.");
        }

        var enqueued = await producer.FinishedAsync();
        await Task.Delay(500);
        var worked = await worker.StatsAsync();
        return [new("cancelled", rate, "entries/s"), .. Latency.Figures(enqueued.Times[0], enqueued.Times[1], worked.Times[0], count)[..3]];
    }

    private static async Task<Figure[]> DrainAsync(
        IBenchmarkStore store, IBenchmarkDatabase template, int entries, bool looks, bool withoutStatistics = false)
    {
        await using var database = await store.CopyAsync(template);
        using var tool = Tool(store, database);
        var monitor = tool.Services.GetRequiredService<IQueueMonitor>();
        await monitor.GetSnapshotAsync();
        var drained = await Drain.WorkAsync(
            store.Name, database, entries, 1, null, looks ? LookAsync : null, withoutStatistics: withoutStatistics);
        return [.. drained.Figures()[..1], new("log", drained.Cost.LogBytes / entries, "B")];

        async Task LookAsync(Func<Task<long>> countAsync)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(2));
            do
            {
                await monitor.GetSnapshotAsync();
            }
            while (await countAsync() < entries && await timer.WaitForNextTickAsync());
        }
    }

    // The dashboard runs in both cases, so that they differ in the viewers only.
    private static async Task<Figure[]> DrainBesideHistoryAsync(
        IBenchmarkStore store, IBenchmarkDatabase template, int entries, bool hasViewers)
    {
        await using var database = await store.CopyAsync(template);
        for (var part = 0; part < 2; part++)
        {
            // Not so many at once that the indexes of the history would be built again.
            await database.FillAsync(new FillSpec(BenchmarkQueues.Measured, entries / 2));
        }

        await database.SettleAsync();
        await using var audience = await Audience.StartAsync(store.Name, database.ConnectionString);
        await DashboardCases.WarmUpAsync(audience);
        if (hasViewers)
        {
            audience.Open(DashboardCases.Pages);
        }

        var drained = await Drain.WorkAsync(store.Name, database, entries, 1, null);
        await audience.CloseAsync();
        return [.. drained.Figures()[..1], new("log", drained.Cost.LogBytes / entries, "B")];
    }

    private static async Task<double> MedianAsync<T>(Func<Task<T>> ask)
    {
        var times = new double[Questions];
        for (var question = 0; question < Questions; question++)
        {
            var started = Stopwatch.GetTimestamp();
            await ask();
            times[question] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }

        return Latency.Median(times);
    }
}
