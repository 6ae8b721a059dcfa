using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>The host of a child: the library as users add it, and nothing tuned.</summary>
internal static class BenchmarkHost
{
    private static int WaveEntries => WarmUp.IsQuick ? 10_000 : 20_000;

    public static IHost Create(string store, string connectionString, Action<TaskRecoveryBuilder> configure, TimeSpan? keep = null)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        var recovery = builder.Services.AddTaskRecovery(options => options.ServeDefaultQueue = false);
        BenchmarkStores.Use(recovery, store, connectionString);
        configure(recovery);
        if (keep is { } kept)
        {
            builder.Services.Configure<TaskRecoveryOptions>(
                options => (options.Retention.Completed, options.Retention.Interval) = (kept, kept / 6));
        }

        return builder.Build();
    }

    /// <summary>Works entries of a queue of its own until the runtime has compiled what it will.</summary>
    public static async Task WarmUpAsync(IHost host, ChildSpec spec, WorkLog log)
    {
        if (spec.Queues.Select(queue => queue.Name).FirstOrDefault(
            name => name.StartsWith(BenchmarkQueues.WarmUp, StringComparison.Ordinal)) is not { } queue)
        {
            return;
        }

        var jobs = host.Services.GetRequiredService<IJobQueue>();
        await WarmUp.UntilCompiledAsync(async wave =>
        {
            for (var done = 0; done < WaveEntries; done += 2_000)
            {
                await jobs.EnqueueManyAsync(Enumerable.Range(0, 2_000).Select(
                    number => EnqueueRequest.Create(BenchmarkArgs.Create(-1 - number, 0, 100), new EnqueueOptions { Queue = queue })));
            }

            await log.WaitForWarmUpsAsync((wave + 1) * WaveEntries);
        });
    }
}
