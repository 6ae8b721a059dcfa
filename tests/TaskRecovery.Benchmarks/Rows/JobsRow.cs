using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Many interval jobs that are due at once.</summary>
internal sealed class JobsRow : BenchmarkRow
{
    private IBenchmarkDatabase? _template;

    public override string Name => "jobs";

    public override string Title => "Interval jobs";

    public override string Text
        => "Jobs that are all due every minute, in one process with default options."
        + " Runs per second; each run stores its task record, checks for overlap and plans the next run.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var store = environment.Store;
        var jobs = environment.Size(100_000, 5_000);
        var template = _template = await store.CreateAsync();
        using (var host = BenchmarkHost.Create(store.Name, template.ConnectionString, builder => builder.AddTaskHandler<BenchmarkTaskArgs, BenchmarkTaskHandler>()))
        {
            var service = host.Services.GetRequiredService<IJobService>();
            await service.CreateOrUpdateAsync(new JobDefinition("job 0", Schedule.Every(TimeSpan.FromMinutes(1))) { Queue = BenchmarkQueues.Measured }, new BenchmarkTaskArgs(0));
        }

        await template.CopyJobAsync(jobs);
        await template.SettleAsync();
        return [new BenchmarkCase($"{jobs:N0} jobs, default options", () => RunAsync(store, template, jobs, null)), new BenchmarkCase($"{jobs:N0} jobs, concurrency 100", () => RunAsync(store, template, jobs, 100))];
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<Figure[]> RunAsync(IBenchmarkStore store, IBenchmarkDatabase template, int jobs, int? concurrency)
    {
        await using var database = await store.CopyAsync(template);
        return (await Drain.WorkAsync(store.Name, database, jobs, 1, concurrency)).Figures()[..5];
    }
}
