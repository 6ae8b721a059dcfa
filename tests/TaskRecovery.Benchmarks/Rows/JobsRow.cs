using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;
using TaskRecovery.Hosting;
using TaskRecovery.Jobs;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Many interval jobs that are due at once.</summary>
internal sealed class JobsRow : BenchmarkRow
{
    private const int LoneRuns = 200;
    private static readonly TimeSpan EverySecondWarmUp = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan EverySecondLasts = TimeSpan.FromSeconds(15);

    private IBenchmarkDatabase? _template;

    public override string Name => "jobs";

    public override string Title => "Interval jobs";

    public override string Text
        => "Jobs that are all due every minute, in one process. Runs per second; each run stores its task record, "
            + "checks for overlap and plans"
        + " the next run. A floor writes the same rows and decides nothing. Then jobs that are due every second, with the time from the due"
        + " time to the handler. Then the start-up with jobs that have no plan, and with jobs that the code declares for the first time,"
        + " and the time from a call of TriggerNowAsync to the handler, one run at a time.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        var jobs = environment.Size(100_000, 5_000);
        var template = _template = await store.CreateAsync();
        using (var host = CreateHost(store, template, new WorkLog(record: false)))
        {
            await host.Services.GetRequiredService<IJobService>().CreateOrUpdateAsync(Definition("job 0"), new BenchmarkTaskArgs(0));
        }

        await template.CopyJobAsync(jobs);
        var hasFloor = store.FloorName != StoreFloors.Name;
        if (hasFloor)
        {
            await Drain.FillWarmUpAsync(template);
        }

        await template.SettleAsync();
        var floor = hasFloor ? $"{store.FloorName}, batches of 100" : null;
        var cases = new List<BenchmarkCase>();
        if (floor is not null)
        {
            cases.Add(new BenchmarkCase(floor, () => FloorAsync(store, template, jobs)));
        }

        cases.Add(new BenchmarkCase($"{jobs:N0} jobs, default options", () => RunAsync(store, template, jobs, null), floor));
        cases.Add(new BenchmarkCase($"{jobs:N0} jobs, concurrency 100", () => RunAsync(store, template, jobs, 100), floor));
        cases.Add(new BenchmarkCase($"{jobs / 20:N0} jobs due every second", () => EverySecondAsync(store, jobs / 20)));
        cases.Add(new BenchmarkCase($"planning {jobs / 10:N0} jobs", () => PlanAsync(store, jobs / 10)));
        cases.Add(new BenchmarkCase($"planning {jobs:N0} jobs", () => PlanAsync(store, jobs)));
        cases.Add(new BenchmarkCase($"declaring {jobs:N0} jobs", () => DeclareAsync(store, jobs)));
        cases.Add(new BenchmarkCase("one run at a time", () => RunAloneAsync(store, template)));
        return cases;
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static JobDefinition Definition(string name)
        => new(name, Schedule.Every(TimeSpan.FromMinutes(1))) { Queue = BenchmarkQueues.Measured };

    private static IHost CreateHost(IBenchmarkStore store, IBenchmarkDatabase database, WorkLog log)
        => BenchmarkHost.Create(store.Name, database.ConnectionString, builder =>
        {
            builder.Services.AddSingleton(log);
            builder.AddTaskHandler<BenchmarkTaskArgs, BenchmarkTaskHandler>();
        });

    private static async Task<Figure[]> FloorAsync(IBenchmarkStore store, IBenchmarkDatabase template, int jobs)
    {
        await using var database = await store.CopyAsync(template);
        return (await Drain.FloorAsync(store.Name, database, jobs, 100, startsTasks: true)).Figures()[..5];
    }

    private static async Task<Figure[]> RunAsync(IBenchmarkStore store, IBenchmarkDatabase template, int jobs, int? concurrency)
    {
        await using var database = await store.CopyAsync(template);
        return (await Drain.WorkAsync(store.Name, database, jobs, 1, concurrency)).Figures()[..5];
    }

    // All of them are due at the same moment of each second. Runs that come later than the next due time are made up for by one run, so
    // fewer runs than jobs in a second show that the process falls behind.
    private static async Task<Figure[]> EverySecondAsync(IBenchmarkStore store, int jobs)
    {
        await using var database = await store.CreateAsync();
        using (var creator = CreateHost(store, database, new WorkLog(record: false)))
        {
            await creator.Services.GetRequiredService<IJobService>().CreateOrUpdateAsync(
                Definition("job 0") with { Schedule = Schedule.Every(TimeSpan.FromSeconds(1)) }, new BenchmarkTaskArgs(0));
        }

        await database.CopyJobAsync(jobs);
        await database.SettleAsync();
        var late = new ConcurrentQueue<double>();
        using var host = BenchmarkHost.Create(store.Name, database.ConnectionString, builder =>
        {
            builder.Services.AddSingleton(late);
            builder.AddTaskHandler<BenchmarkTaskArgs, LateHandler>();
            builder.AddQueue(BenchmarkQueues.Measured, 100);
        });
        await host.StartAsync();
        await Task.Delay(EverySecondWarmUp);
        late.Clear();
        var (before, started) = (await database.CostAsync(), Stopwatch.GetTimestamp());
        await Task.Delay(EverySecondLasts);
        double[] times = [.. late.Order()];
        var (after, seconds) = (await database.CostAsync(), Stopwatch.GetElapsedTime(started).TotalSeconds);
        await host.StopAsync();
        return times.Length == 0
            ? throw new InvalidOperationException("No job ran.")
            :
            [
                new Figure("runs", times.Length / seconds, "runs/s"),
                new Figure("late p50", times[times.Length / 2], "ms"),
                new Figure("late p99", times[times.Length * 99 / 100], "ms"),
                new Figure("server CPU", (after.CpuMilliseconds - before.CpuMilliseconds) * 1000 / times.Length, "us"),
                new Figure("log", (after.LogBytes - before.LogBytes) / times.Length, "B"),
            ];
    }

    private static async Task<Figure[]> PlanAsync(IBenchmarkStore store, int jobs)
    {
        await using var database = await store.CreateAsync();
        using (var creator = CreateHost(store, database, new WorkLog(record: false)))
        {
            await creator.Services.GetRequiredService<IJobService>().CreateOrUpdateAsync(Definition("job 0"), new BenchmarkTaskArgs(0));
        }

        await database.CopyJobAsync(jobs);
        await database.RemovePlansAsync();

        // A restored backup has no dead rows.
        await database.SettleAsync();
        using var host = CreateHost(store, database, new WorkLog(record: false));
        var service = host.Services.GetRequiredService<IJobService>();
        var started = Stopwatch.GetTimestamp();
        var planned = await service.RecoverJobsAsync();
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return planned == jobs
            ? [new Figure("planning", seconds * 1000, "ms"), new Figure("a job", seconds * 1_000_000 / jobs, "us")]
            : throw new InvalidOperationException($"{planned} of {jobs} jobs were planned.");
    }

    // The first start of an application that declares its jobs in its code, up to its claims.
    private static async Task<Figure[]> DeclareAsync(IBenchmarkStore store, int jobs)
    {
        await using var database = await store.CreateAsync();
        using var host = BenchmarkHost.Create(store.Name, database.ConnectionString, builder =>
        {
            builder.Services.AddSingleton(new WorkLog(record: false));
            builder.AddTaskHandler<BenchmarkTaskArgs, BenchmarkTaskHandler>();
            for (var number = 0; number < jobs; number++)
            {
                builder.AddIntervalJob($"job {number}", TimeSpan.FromMinutes(1), new BenchmarkTaskArgs(0));
            }
        });
        var step = host.Services.GetServices<IStartupStep>().OfType<JobDeclarations>().Single();
        var started = Stopwatch.GetTimestamp();
        await step.RunAsync(CancellationToken.None);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return [new Figure("declaring", seconds * 1000, "ms"), new Figure("a job", seconds * 1_000_000 / jobs, "us")];
    }

    private static async Task<Figure[]> RunAloneAsync(IBenchmarkStore store, IBenchmarkDatabase template)
    {
        await using var database = await store.CopyAsync(template);
        var log = new WorkLog(record: false);
        using var host = BenchmarkHost.Create(store.Name, database.ConnectionString, builder =>
        {
            builder.Services.AddSingleton(log);
            builder.AddTaskHandler<BenchmarkTaskArgs, BenchmarkTaskHandler>();
            builder.AddQueue("alone");
        });
        await host.StartAsync();
        var service = host.Services.GetRequiredService<IJobService>();
        var job = await service.CreateOrUpdateAsync(
            Definition("alone") with { Queue = "alone", StartAt = DateTimeOffset.UtcNow.AddDays(1), Overlap = OverlapPolicy.Allow },
            new BenchmarkTaskArgs(0));
        var times = new List<double>();
        for (var run = 0; run < 2 * LoneRuns; run++)
        {
            var hasStarted = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            log.OnStart = () => hasStarted.TrySetResult(Stopwatch.GetTimestamp());
            var called = Stopwatch.GetTimestamp();
            await service.TriggerNowAsync(job.Id);
            times.Add(Stopwatch.GetElapsedTime(called, await hasStarted.Task).TotalMilliseconds);
            await Task.Delay(20);
        }

        await host.StopAsync();
        times = [.. times.Skip(LoneRuns).Order()];
        return [new Figure("to the handler", times[LoneRuns / 2], "ms"), new Figure("p90", times[LoneRuns * 9 / 10], "ms")];
    }

    private sealed class LateHandler(ConcurrentQueue<double> late) : ITaskHandler<BenchmarkTaskArgs>
    {
        public Task RunAsync(TaskContext<BenchmarkTaskArgs> context, CancellationToken cancellationToken)
        {
            late.Enqueue((TimeProvider.System.GetUtcNow() - context.DueAt!.Value).TotalMilliseconds);
            return Task.CompletedTask;
        }
    }
}
