using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Many interval jobs that are due at once.</summary>
internal sealed class JobsRow : BenchmarkRow
{
    private const int LoneRuns = 200;

    private IBenchmarkDatabase? _template;

    public override string Name => "jobs";

    public override string Title => "Interval jobs";

    public override string Text
        => "Jobs that are all due every minute, in one process. Runs per second; each run stores its task record, checks for overlap and plans"
        + " the next run. A floor writes the same rows and decides nothing. Then the start-up with jobs that have no plan, and the time from a"
        + " call of TriggerNowAsync to the handler, one run at a time.";

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
        cases.Add(new BenchmarkCase($"planning {jobs / 10:N0} jobs", () => PlanAsync(store, jobs / 10)));
        cases.Add(new BenchmarkCase($"planning {jobs:N0} jobs", () => PlanAsync(store, jobs)));
        cases.Add(new BenchmarkCase("one run at a time", () => RunAloneAsync(store, template)));
        return cases;
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static JobDefinition Definition(string name) => new(name, Schedule.Every(TimeSpan.FromMinutes(1))) { Queue = BenchmarkQueues.Measured };

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

    private static async Task<Figure[]> PlanAsync(IBenchmarkStore store, int jobs)
    {
        await using var database = await store.CreateAsync();
        using var host = CreateHost(store, database, new WorkLog(record: false));
        var service = host.Services.GetRequiredService<IJobService>();
        await service.CreateOrUpdateAsync(Definition("job 0"), new BenchmarkTaskArgs(0));
        await database.CopyJobAsync(jobs);
        await database.RemovePlansAsync();
        var started = Stopwatch.GetTimestamp();
        var planned = await service.RecoverJobsAsync();
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return planned == jobs
            ? [new Figure("planning", seconds * 1000, "ms"), new Figure("a job", seconds * 1_000_000 / jobs, "us")]
            : throw new InvalidOperationException($"{planned} of {jobs} jobs were planned.");
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
            Definition("alone") with { Queue = "alone", StartAt = DateTimeOffset.UtcNow.AddDays(1), Overlap = OverlapPolicy.Allow }, new BenchmarkTaskArgs(0));
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
}
