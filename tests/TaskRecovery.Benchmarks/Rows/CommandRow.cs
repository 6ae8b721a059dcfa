using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What the command line takes beside what it asks the store.</summary>
internal sealed class CommandRow : BenchmarkRow
{
    private const int Runs = 5;
    private const string Alone = "--version";

    private IBenchmarkDatabase? _database;

    public override string Name => "command";

    public override string Title => "A command";

    public override string Text
        => $"The process of the command line from its start to its end, the median of {Runs} runs after one that is not counted. For"
            + " status, the time of its query is taken off: a snapshot of the same database, on a connection that is open.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        var database = _database = await store.CreateAsync();
        await database.FillAsync(new FillSpec(BenchmarkQueues.Measured, 10_000));
        await database.FillAsync(new FillSpec(BenchmarkQueues.WarmUp, environment.Size(100_000, 10_000)) { Ended = true });
        await database.SettleAsync();
        string[] command = environment.Tool is { } tool
            ? [tool]
            : ["dotnet", SiblingProgram.Find("src/TaskRecovery.Cli", "TaskRecovery.Cli")];
        return
        [
            new BenchmarkCase(Alone, async () => Figures(await RunAsync([.. command, Alone]), 0)),
            new BenchmarkCase("status", async () => Figures(
                await RunAsync([.. command, "status", "-c", database.ConnectionString]), await QueryAsync(store, database)), Alone),
        ];
    }

    public override ValueTask CleanUpAsync() => _database?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static Figure[] Figures((double Elapsed, double Processor) run, double query) =>
    [
        new("beside the query", run.Elapsed - query, "ms"),
        new("query", query == 0 ? double.NaN : query, "ms"),
        new("processor", run.Processor, "ms"),
    ];

    private static async Task<(double Elapsed, double Processor)> RunAsync(string[] command)
    {
        var (elapsed, processor) = (new List<double>(), new List<double>());
        for (var run = 0; run <= Runs; run++)
        {
            var (one, used) = await RunOnceAsync(command);
            if (run > 0)
            {
                elapsed.Add(one);
                processor.Add(used);
            }
        }

        return (Latency.Median(elapsed), Latency.Median(processor));
    }

    private static async Task<(double Elapsed, double Processor)> RunOnceAsync(string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var before = ServerCpu.ReadEndedChildren();
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        var elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        return process.ExitCode == 0
            ? (elapsed, ServerCpu.ReadEndedChildren() - before)
            : throw new InvalidOperationException($"It ended with {process.ExitCode}: {await output}{await errors}");
    }

    private static async Task<double> QueryAsync(IBenchmarkStore store, IBenchmarkDatabase database)
    {
        using var tool = BenchmarkHost.Create(store.Name, database.ConnectionString, builder => builder.AddKind<BenchmarkArgs>());
        var monitor = tool.Services.GetRequiredService<IQueueMonitor>();
        var times = new List<double>();
        for (var time = 0; time < 5 * Runs; time++)
        {
            var started = Stopwatch.GetTimestamp();
            await monitor.GetSnapshotAsync();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return Latency.Median(times);
    }
}
