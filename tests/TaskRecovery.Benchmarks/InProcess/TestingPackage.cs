using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Testing;

namespace TaskRecovery.Benchmarks.InProcess;

/// <summary>How long the tests of a user take: a run of a worker, a host, a drain, and many hosts at once.</summary>
internal static class TestingPackage
{
    private const int Runs = 5_000;
    private const int Hosts = 30;
    private const int Entries = 1_000;
    private const int AtOnce = 50;

    /// <summary>Measures and prints.</summary>
    public static async Task PrintAsync()
    {
        var log = new WorkLog(record: false);
        var worker = new BenchmarkWorker(log);
        var args = BenchmarkArgs.Create(1, 0, 100);
        await RepeatAsync(Runs, () => WorkerTest.RunAsync(worker, args));
        Print("WorkerTest.RunAsync", (await RepeatAsync(Runs, () => WorkerTest.RunAsync(worker, args))).TotalMilliseconds / Runs, 0.2);

        await RepeatAsync(Hosts, () => RunHostAsync(log, 0));
        Print("a host, from build to disposal", (await RepeatAsync(Hosts, () => RunHostAsync(log, 0))).TotalMilliseconds / Hosts, 60);

        await RunHostAsync(log, Entries);
        Print($"{Entries} entries in one drain", (await RunHostAsync(log, Entries)).TotalMilliseconds, 1_000);

        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(() => RunHostAsync(log, 1))));
        Print($"{AtOnce} hosts in parallel", Stopwatch.GetElapsedTime(started).TotalMilliseconds, 2_000);
    }

    private static async Task<TimeSpan> RepeatAsync(int times, Func<Task> action)
    {
        var started = Stopwatch.GetTimestamp();
        for (var time = 0; time < times; time++)
        {
            await action();
        }

        return Stopwatch.GetElapsedTime(started);
    }

    /// <returns>How long the drain took.</returns>
    private static async Task<TimeSpan> RunHostAsync(WorkLog log, int entries)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(log);
        builder.Services.AddTaskRecovery().AddWorker<BenchmarkArgs, BenchmarkWorker>();
        builder.Services.AddTaskRecoveryTesting();
        var host = builder.Build();
        await using var _ = (IAsyncDisposable)host;
        await host.StartAsync();
        await host.Services.GetRequiredService<IJobQueue>().EnqueueManyAsync(
            Enumerable.Range(0, entries).Select(static number => EnqueueRequest.Create(BenchmarkArgs.Create(number, 0, 100))));
        var started = Stopwatch.GetTimestamp();
        var drained = await host.Services.GetTaskRecoveryTest().DrainAsync();
        var took = Stopwatch.GetElapsedTime(started);
        await host.StopAsync();
        return drained.Runs.Count == entries ? took
            : throw new InvalidOperationException($"{drained.Runs.Count} of {entries} entries ran.");
    }

    private static void Print(string what, double milliseconds, double bound)
        => Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what,-32} {milliseconds,9:0.000} ms  (bound {bound:0.###} ms{(milliseconds > bound ? ", MISSED" : "")})"));
}
