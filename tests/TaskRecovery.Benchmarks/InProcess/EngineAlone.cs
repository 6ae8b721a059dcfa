using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.InProcess;

/// <summary>The whole engine on a store that costs nothing: processor time and memory of an entry that does nothing.</summary>
internal static class EngineAlone
{
    public static async Task PrintAsync(int entries)
    {
        foreach (var concurrency in (int[])[1, 20, 100, 1_000])
        {
            await RunAsync(concurrency, entries / 4);
            var (seconds, cpu, bytes) = await RunAsync(concurrency, entries);
            Console.WriteLine(
                $"engine alone, concurrency {concurrency,5}: {entries / seconds,9:N0} entries/s, {cpu * 1000 / entries:0.00} us of CPU "
                + $"and {(double)bytes / entries:N0} B an entry");
        }
    }

    private static async Task<(double Seconds, double CpuMilliseconds, long Bytes)> RunAsync(int concurrency, int entries)
    {
        var store = new NullStore(JsonSerializer.SerializeToUtf8Bytes(BenchmarkArgs.Create(12_345, 0, 100), JsonSerializerOptions.Web));
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IQueueStore>(store);
        builder.Services.AddSingleton<IJobStore, NoJobs>();
        builder.Services.AddSingleton(new WorkLog(record: false));
        builder.Services.AddTaskRecovery().AddQueue("default", concurrency).AddWorker<BenchmarkArgs, BenchmarkWorker>();
        using var host = builder.Build();
        using var self = Process.GetCurrentProcess();
        store.Fill(entries);
        var (cpu, bytes, started) = (self.TotalProcessorTime, GC.GetTotalAllocatedBytes(precise: true), Stopwatch.GetTimestamp());
        await host.StartAsync();
        await store.AllDone;
        self.Refresh();
        var result = (Stopwatch.GetElapsedTime(started).TotalSeconds, (self.TotalProcessorTime
            - cpu).TotalMilliseconds, GC.GetTotalAllocatedBytes(precise: true) - bytes);
        await host.StopAsync();
        return result;
    }
}
