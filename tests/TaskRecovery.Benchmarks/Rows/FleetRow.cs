using System.Diagnostics;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What an entry costs the server as the number of nodes grows.</summary>
internal sealed class FleetRow : BenchmarkRow
{
    private const int HalfLoadMilliseconds = 2_000;
    private const int Slots = 20;

    // The session of the first of two readings is counted before the second one.
    private const int OwnSession = 1;

    public override string Name => "fleet";

    public override string Title => "Many nodes";

    public override string Text
        => "Single enqueues at a rate, from one process, for nodes of another one with default options: what the server uses for an entry,"
        + " with the heartbeats and polls of all nodes, and the time from the return of the call to the start of the handler."
        + " The floor is the same rate with one node."
        + " Sessions are those that were opened meanwhile."
        + " At half load, entries take two seconds, and half of what all nodes can run is running.";

    public override bool IsPartOfAll => false;

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        await Task.CompletedTask;
        var (seconds, idle) = (environment.Size(20, 8), environment.Size(100, 15));
        int[] sizes = [1, 25, 75];
        return
        [
            .. from nodes in sizes
               from rate in new[] { 200, 1_000, 5_000 }
               select new BenchmarkCase(
                   $"{nodes} nodes, {rate}/s", () => MeasureAsync(environment, nodes, rate, seconds, 0),
                   nodes > 1 ? $"1 nodes, {rate}/s" : null),
            .. sizes.Where(static nodes => nodes > 1).Select(nodes => new BenchmarkCase(
                $"{nodes} nodes, half load",
                () => MeasureAsync(
                    environment, nodes, nodes * Slots * 500 / HalfLoadMilliseconds, seconds * 2, HalfLoadMilliseconds))),
            .. sizes.Select(nodes => new BenchmarkCase($"{nodes} nodes, idle", () => IdleAsync(environment, nodes, idle))),
        ];
    }

    private static ChildSpec Nodes(IBenchmarkStore store, IBenchmarkDatabase database, int nodes) => new()
    {
        Role = "fleet",
        Store = store.Name,
        ConnectionString = database.ConnectionString,
        Parallel = nodes,
        Queues = [new QueueSpec(BenchmarkQueues.Measured)],
        Record = true,
    };

    private static async Task<Figure[]> MeasureAsync(
        BenchmarkEnvironment environment, int nodes, int rate, int seconds, int milliseconds)
    {
        var store = environment.Store;
        await using var database = await store.CreateAsync();
        await using var fleet = await ChildHandle.StartAsync(Nodes(store, database, nodes));
        await using var producer = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "enqueue",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Rate = rate,
            Parallel = Math.Clamp(rate / 50, 4, 64),
            Seconds = seconds,
            Milliseconds = [milliseconds],
            Record = true,
        });
        await fleet.GoAsync();
        await producer.GoAsync();
        var first = await producer.FinishedAsync();
        var (before, begun) = (await fleet.StatsAsync(), await database.CostAsync());
        var sessions = await database.SessionsAsync();
        await producer.GoAsync();
        var enqueued = await producer.FinishedAsync();
        sessions = await database.SessionsAsync() - sessions - OwnSession;
        var done = await database.CostAsync();
        await new ChildGroup([fleet]).WaitForAsync(enqueued.Count);
        var worked = await fleet.StatsAsync();
        var entries = enqueued.Count - first.Count;
        long[] shares = [.. worked.Times[1].Zip(before.Times[1], static (now, then) => now - then)];
        return
        [
            new("server CPU", (done.CpuMilliseconds - begun.CpuMilliseconds) * 1000 / entries, "us"),
            .. Latency.Figures(
                enqueued.Times[0][(int)first.Count..], enqueued.Times[1][(int)first.Count..], worked.Times[0][(int)first.Count..],
                (int)entries),
            new("transactions", (done.Commits - begun.Commits) / enqueued.Seconds, "1/s"),
            new("connections", done.Connections, ""),
            new("sessions", sessions, ""),
            new("most of a node", shares.Max() / ((double)shares.Sum() / nodes), "x its share"),
            .. environment.Statements ? await CountAsync(database, RunAgainAsync) : [],
        ];

        async Task<double> RunAgainAsync()
        {
            await producer.GoAsync();
            return (await producer.FinishedAsync()).Seconds;
        }
    }

    // In a run of its own, because counting costs the server time.
    private static async Task<Figure[]> CountAsync(IBenchmarkDatabase database, Func<Task<double>> runAsync)
    {
        await database.CountStatementsAsync(true);
        var before = await database.StatementsAsync();
        var seconds = await runAsync();
        var after = await database.StatementsAsync();
        await database.CountStatementsAsync(false);
        return
        [
            .. before.Zip(after).SelectMany(pair => Figures(
                pair.Second.Group, pair.Second.Calls - pair.First.Calls, pair.Second.Rows - pair.First.Rows,
                pair.Second.Milliseconds - pair.First.Milliseconds, seconds)),
        ];
    }

    // A claim that finds nothing returns one row.
    private static Figure[] Figures(string group, double calls, double rows, double milliseconds, double seconds)
        =>
        [
            new(group, calls / seconds, "1/s"),
            new($"rows of {group}", calls > 0 ? rows / calls : double.NaN, "each"),
            new($"time of {group}", milliseconds / seconds, "ms/s"),
        ];

    private static async Task<Figure[]> IdleAsync(BenchmarkEnvironment environment, int nodes, int seconds)
    {
        var store = environment.Store;
        await using var database = await store.CreateAsync();
        await using var fleet = await ChildHandle.StartAsync(Nodes(store, database, nodes));
        await fleet.GoAsync();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        var begun = await database.CostAsync();
        var (most, samples) = (0.0, Math.Max(5, seconds / 4));
        for (var sample = 0; sample < samples; sample++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            most = Math.Max(most, (await database.CostAsync()).Connections);
        }

        var done = await database.CostAsync();
        return
        [
            new("server CPU", (done.CpuMilliseconds - begun.CpuMilliseconds) / samples / 10, "% of a core"),
            new("connections", most, ""),
            new("transactions", (done.Commits - begun.Commits) / samples, "1/s"),
            .. environment.Statements ? await CountAsync(database, WaitAsync) : [],
        ];

        async Task<double> WaitAsync()
        {
            var since = Stopwatch.GetTimestamp();
            await Task.Delay(TimeSpan.FromSeconds(samples));
            return Stopwatch.GetElapsedTime(since).TotalSeconds;
        }
    }
}
