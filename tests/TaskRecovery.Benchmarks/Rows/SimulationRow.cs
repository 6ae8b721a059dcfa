using System.Globalization;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What up to a thousand nodes with nothing to do cost the server.</summary>
internal sealed class SimulationRow : BenchmarkRow
{
    private const int Processes = 4;
    private const int MostConnections = 1_200;

    private readonly SortedDictionary<int, double> _used = [];

    public override string Name => "simulation";

    public override string Title => "A thousand nodes";

    public override string Text
        => "Nodes that have nothing to do, each with a session of its own on the real store, a heartbeat and a poll a second,"
        + " and every few seconds the looks for work of dead nodes, lost answers, operations and what is no longer kept;"
        + " four processes hold all of them. The server has a core of its own only if the machine has more than these processes use."
        + " The last case fits a x nodes + b x nodes² to the server's CPU time.";

    public override bool IsPartOfAll => false;

    public override int MostRounds => 1;

    public override Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var seconds = environment.Size(10, 5);
        return Task.FromResult<IReadOnlyList<BenchmarkCase>>(environment.Store.Name != "postgres" ? [] :
        [
            .. new[] { 10, 100, 300, 1_000 }.Select(nodes => new BenchmarkCase(
                string.Create(CultureInfo.InvariantCulture, $"{nodes:N0} nodes"), () => MeasureAsync(nodes, seconds))),
            new BenchmarkCase("fit", () => Task.FromResult(Fit())),
        ]);
    }

    private async Task<Figure[]> MeasureAsync(int nodes, int seconds)
    {
        await using var store = await PostgresBenchmarkStore.StartAsync(MostConnections);
        await using var database = await store.CreateAsync();
        var settle = TimeSpan.FromSeconds(seconds);
        await using var children = new ChildGroup(await ChildHandle.StartAsync([.. Enumerable.Range(0, Processes).Select(
            process => new ChildSpec
            {
                Role = "simulation",
                Store = store.Name,
                ConnectionString = database.ConnectionString,
                Parallel = (nodes + process) / Processes,
                IdleSeconds = seconds * 2.5,
            })]));
        await database.CountStatementsAsync(true);
        await children.GoAsync();
        await Task.Delay(settle);
        var heartbeats = await MeasureAsync(database, children, seconds);
        await Task.Delay(settle);
        var all = await MeasureAsync(database, children, seconds);

        // What the other loops use is spread over the polls.
        var perPoll = (all.Cpu - (heartbeats.Cpu * all.Heartbeats / heartbeats.Heartbeats)) / all.Polls;
        _used[nodes] = all.Cpu / all.Seconds / 1_000;
        return
        [
            new("server CPU", _used[nodes] * 100, "% of a core"),
            new("statements", all.Statements / all.Seconds, "1/s"),
            new("a heartbeat", heartbeats.Cpu * 1000 / heartbeats.Heartbeats, "us"),
            new("a poll and the rest", perPoll * 1000, "us"),
            new("answers", all.Bytes / all.Seconds / nodes, "B/s for a node"),
            new("client CPU", all.ClientCpu * 1000 / all.Seconds / nodes, "us/s for a node"),
            new("heartbeats", all.Heartbeats / all.Seconds / nodes, "1/s for a node"),
            new("latest", all.Latest, "ms"),
            new("listeners", all.Listeners, ""),
        ];
    }

    private static async Task<Measured> MeasureAsync(IBenchmarkDatabase database, ChildGroup children, int seconds)
    {
        var (before, cost) = (await children.StatsAsync(), await database.CostAsync());
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        var (after, done) = (await children.StatsAsync(), await database.CostAsync());
        return new Measured(
            after[0].Seconds - before[0].Seconds, done.CpuMilliseconds - cost.CpuMilliseconds, done.Statements - cost.Statements,
            Sum(0), Sum(1), Sum(2), after.Max(static one => one.Times[0][3]), after.Sum(static one => one.Times[0][4]),
            after.Sum(static one => one.CpuMilliseconds) - before.Sum(static one => one.CpuMilliseconds));

        double Sum(int number) => after.Sum(one => one.Times[0][number]) - before.Sum(one => one.Times[0][number]);
    }

    // Least squares of the relative error: otherwise the smaller sizes would not count.
    private Figure[] Fit()
    {
        double s11 = 0, s12 = 0, s22 = 0, t1 = 0, t2 = 0;
        foreach (var (nodes, cores) in _used)
        {
            var (one, two) = (nodes / cores, (double)nodes * nodes / cores);
            (s11, s12, s22, t1, t2) = (s11 + (one * one), s12 + (one * two), s22 + (two * two), t1 + one, t2 + two);
        }

        var determinant = (s11 * s22) - (s12 * s12);
        var (a, b) = (((t1 * s22) - (t2 * s12)) / determinant, ((s11 * t2) - (s12 * t1)) / determinant);
        return
        [
            new("a", a * 1_000_000, "us/s for a node"),
            new("b", b * 1_000_000, "us/s for a pair"),
            new("a core is full at", b > 0 ? (Math.Sqrt((a * a) + (4 * b)) - a) / (2 * b) : 1 / a, "nodes"),
        ];
    }

    private sealed record Measured(
        double Seconds, double Cpu, double Statements, double Heartbeats, double Polls, double Bytes, double Latest, double Listeners,
        double ClientCpu);
}
