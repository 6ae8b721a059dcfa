using System.Diagnostics;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What many processes cost that share a queue and have nothing to do.</summary>
internal sealed class IdleRow : BenchmarkRow
{
    private const int StartedTogether = 2;

    // The runtime compiles a method anew after 30 calls, and once more after another 30: for what is done every 10 seconds, that would take
    // ten minutes. Without compiling anew, a heartbeat would cost twice what it costs in a process that has run for a while.
    private static readonly Dictionary<string, string> Environment =
        new(StringComparer.Ordinal) { ["DOTNET_TieredPGO"] = "0", ["DOTNET_TC_CallCountThreshold"] = "10" };

    public override string Name => "idle";

    public override string Title => "Idle processes";

    public override string Text
        => "CPU time of all idle worker processes of one database together, read from the operating system for a minute after they"
        + " have run for two minutes. It counts only their own time, so other load on the machine matters little.";

    public override bool IsPartOfAll => false;

    public override int MostRounds => 1;

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        await Task.CompletedTask;
        var seconds = environment.Size(60, 15);
        return [.. new[] { 1, 10, 40 }.Select(
            count => new BenchmarkCase($"{count} processes", () => MeasureAsync(environment.Store, count, seconds)))];
    }

    private static async Task<Figure[]> MeasureAsync(IBenchmarkStore store, int count, int seconds)
    {
        await using var database = await store.CreateAsync();
        var spec = new ChildSpec
        {
            Role = "work",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Queues = [new QueueSpec("idle")],
        };
        var children = new List<ChildHandle>();
        try
        {
            while (children.Count < count)
            {
                children.AddRange(await ChildHandle.StartAsync(
                    Environment, [.. Enumerable.Repeat(spec, Math.Min(StartedTogether, count - children.Count))]));
            }

            await Task.Delay(TimeSpan.FromSeconds(seconds * 2));
            var (before, started) = (children.Sum(CpuMilliseconds), Stopwatch.GetTimestamp());
            await Task.Delay(TimeSpan.FromSeconds(seconds));
            var used = (children.Sum(CpuMilliseconds) - before) / Stopwatch.GetElapsedTime(started).TotalSeconds;
            return [new("all", used / 10, "% of a core"), new("a process", used * 1000 / count, "us/s")];
        }
        finally
        {
            await using var group = new ChildGroup([.. children]);
        }
    }

    private static double CpuMilliseconds(ChildHandle child)
    {
        using var process = Process.GetProcessById(child.Id);
        return process.TotalProcessorTime.TotalMilliseconds;
    }
}
