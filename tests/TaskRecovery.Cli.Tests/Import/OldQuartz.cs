using Quartz;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests.Import;

/// <summary>A database of an application that used Quartz with its PostgreSQL job store, which is not running.</summary>
internal sealed class OldQuartz : IAsyncDisposable
{
    private readonly PostgresDatabase _database;

    private OldQuartz(PostgresDatabase database) => _database = database;

    public string ConnectionString => _database.ConnectionString;

    public static async Task<OldQuartz> CreateAsync()
    {
        var quartz = new OldQuartz(await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("quartz"));
        await quartz.ScheduleAsync(static _ => Task.CompletedTask);
        return quartz;
    }

    /// <summary>Schedules with the real library, which creates its tables. The scheduler is shut down afterwards.</summary>
    /// <param name="schedule">What to schedule.</param>
    /// <param name="asStrings">Whether data of jobs are stored as texts only.</param>
    public async Task ScheduleAsync(Func<IScheduler, Task> schedule, bool asStrings = false)
    {
        await using var factory = QuartzSchedulerBuilder.Create(quartz => quartz.UsePersistentStore(store =>
        {
            store.UsePostgres(ConnectionString);
            store.ProvisionSchema();
            store.ConfigureStore(options => options.StoreJobDataAsStrings = asStrings);
        })).Build();
        var scheduler = await factory.GetScheduler(TestContext.Current.CancellationToken);
        await scheduler.Start(TestContext.Current.CancellationToken);
        await schedule(scheduler);
        await scheduler.Shutdown(waitForJobsToComplete: false, TestContext.Current.CancellationToken);
    }

    public Task ExecuteAsync(string sql) => OldHangfire.ExecuteAsync(ConnectionString, sql);

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
