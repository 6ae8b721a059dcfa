using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What a transaction of the application that holds the file's write lock does to the queue.</summary>
internal sealed class ForeignTransactionRow : BenchmarkRow
{
    private static readonly TimeSpan BetweenCalls = TimeSpan.FromMilliseconds(100);

    public override string Name => "foreign";

    public override string Title => "A long transaction of the application";

    public override string Text
        => "SQLite only. Another connection holds the write lock of the file, while two processes are nodes and one of them "
            + "enqueues ten times a"
        + " second with default options. The longest call, the calls that failed, and the nodes that lost their lease.";

    public override bool IsPartOfAll => false;

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        await Task.CompletedTask;
        int[] seconds = environment.Quick ? [5, 35] : [5, 20, 60];
        return environment.Store.Name == "sqlite"
            ? [.. seconds.Select(time => new BenchmarkCase($"{time} s", () => MeasureAsync(environment.Store, time)))]
            : [];
    }

    private static async Task<Figure[]> MeasureAsync(IBenchmarkStore store, int seconds)
    {
        await using var database = await store.CreateAsync();
        await using var node = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "work",
            Store = store.Name,
            ConnectionString = database.ConnectionString,
            Queues = [new QueueSpec("other")]
        });
        using var host = BenchmarkHost.Create(store.Name, database.ConnectionString, builder =>
        {
            builder.Services.AddSingleton(new WorkLog(record: false));
            builder.AddWorker<BenchmarkArgs, BenchmarkWorker>();
            builder.AddQueue("own");
        });
        await host.StartAsync();
        var queue = host.Services.GetRequiredService<IJobQueue>();
        await queue.EnqueueAsync(BenchmarkArgs.Create(-1, 0, 100), new EnqueueOptions { Queue = "own" });

        var calls = new List<Task<(TimeSpan Time, bool Failed)>>();
        await using (var connection = new SqliteConnection(database.ConnectionString + ";Pooling=False"))
        {
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            var clock = Stopwatch.StartNew();
            while (clock.Elapsed.TotalSeconds < seconds)
            {
                calls.Add(EnqueueAsync(queue));
                await Task.Delay(BetweenCalls);
            }

            await transaction.RollbackAsync();
        }

        var results = await Task.WhenAll(calls);
        var nodes = await CountAsync(database, "select count(*) from taskrecovery_nodes");
        await host.StopAsync();
        return
        [
            new("longest call", results.Max(result => result.Time.TotalSeconds), "s"),
            new("failed", 100.0 * results.Count(result => result.Failed) / results.Length, "% of calls"),
            new("leases lost", nodes - 2, ""),
        ];
    }

    private static async Task<(TimeSpan Time, bool Failed)> EnqueueAsync(IJobQueue queue)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await queue.EnqueueAsync(BenchmarkArgs.Create(-1, 0, 100), new EnqueueOptions { Queue = "own" });
            return (Stopwatch.GetElapsedTime(started), false);
        }
        catch (StoreUnavailableException)
        {
            return (Stopwatch.GetElapsedTime(started), true);
        }
    }

    // A node that was declared dead registers again.
    private static async Task<long> CountAsync(IBenchmarkDatabase database, string statement)
    {
        await using var connection = new SqliteConnection(database.ConnectionString + ";Pooling=False");
        await connection.OpenAsync();
        await using var command = new SqliteCommand(statement, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
