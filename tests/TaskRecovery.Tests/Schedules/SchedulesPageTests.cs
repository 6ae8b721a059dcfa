using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Jobs;
using TaskRecovery.Tests.Support;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Tests.Schedules;

/// <summary>The examples of docs/schedules.md: the first test compares the page with this file, and the others run them.</summary>
public sealed class SchedulesPageTests
{
    private readonly ScriptedJobs _jobs = new();
    private readonly FakeQueueStore _store = new();

    [Fact]
    public void Every_example_of_the_page_is_in_this_file()
    {
        var code = PageExamples.CodeOf("tests/TaskRecovery.Tests/Schedules", "SchedulesPageTests.cs");
        var examples = PageExamples.Of("schedules.md");

        Assert.Equal(6, examples.Count);
        Assert.All(examples, example => Assert.Contains(PageExamples.Squeeze(example), code, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Jobs_are_declared()
    {
        await using var host = Create(static builder =>
        {
            builder
                .AddTaskHandler<Report, ReportHandler>()
                .AddCronJob("daily report", "30 6 * * MON-FRI", new Report("sales"), timeZone: "Europe/Berlin")
                .AddIntervalJob("refresh", TimeSpan.FromMinutes(10), new Report("cache"))
                .AddJob("go live", Schedule.Once(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero)), new Report("launch"));
        });

        await host.StartAsync();
        await host.StopAsync();

        Assert.Equal(["daily report", "refresh", "go live"], _jobs.Upserts.Select(job => job.Definition.Name));
    }

    [Fact]
    public async Task Job_runs_in_a_season()
    {
        await using var host = Create(static builder =>
        {
            builder.AddCronJob("season", "0 * * * *", new Report("season"), configure: job => job with
            {
                StartAt = new DateTimeOffset(2027, 6, 1, 0, 0, 0, TimeSpan.Zero),
                EndAt = new DateTimeOffset(2027, 9, 1, 0, 0, 0, TimeSpan.Zero),
                Except = ScheduleExceptions.Dates(new DateOnly(2027, 8, 15)),
            });
        });

        await host.StartAsync();
        await host.StopAsync();

        var runs = Assert.Single(_jobs.Upserts).Definition.GetRunsAfter(new DateTimeOffset(2027, 8, 14, 22, 30, 0, TimeSpan.Zero), 2);
        Assert.Equal([14, 16], runs.Select(run => run.Day));
    }

    [Fact]
    public void Definition_shows_its_runs()
    {
        var definition = new JobDefinition("payroll", Schedule.Cron("0 9 LW * *", "Europe/Berlin"));
        var runs = definition.GetRunsAfter(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero), count: 3);

        Assert.Equal([29, 26, 31], runs.Select(run => run.Day));
    }

    [Fact]
    public async Task Missed_runs_are_made_up_for()
    {
        await using var host = Create(static builder =>
        {
            builder.AddCronJob("import", "0 * * * *", new Report("import"), configure: job => job with
            {
                MissedRuns = MissedRunPolicy.RunAll,
                CatchUpLimit = 24,
                CatchUpWithin = TimeSpan.FromDays(2),
            });
        });

        await host.StartAsync();
        await host.StopAsync();

        Assert.Equal((MissedRunPolicy.RunAll, 24), (_jobs.Upserts[0].Definition.MissedRuns, _jobs.Upserts[0].Definition.CatchUpLimit));
    }

    [Fact]
    public async Task Job_is_paused_and_resumed()
    {
        await using var host = Create(static _ => { });
        var (jobs, job) = (host.Services.GetRequiredService<IJobService>(), _jobs.Job);
        var operate = host.Services.GetRequiredService<IQueueOperator>();

        var until = (await operate.GetTimeAsync()).AddHours(4);
        await jobs.PauseAsync(job.Id, reason: "the supplier is down", actor: "ann", until: until);
        await jobs.ResumeAsync(job.Id);

        Assert.Equal("ann", _jobs.Pause?.Actor);
    }

    [Fact]
    public async Task Entry_expires()
    {
        await using var host = Create(static builder => builder.AddKind<Greeting>("greeting"));
        var queue = host.Queue;
        await host.StartAsync();

        await queue.EnqueueAsync(new Greeting("Ann"), new EnqueueOptions { ExpiresAt = DateTimeOffset.UtcNow.AddMinutes(15) });
        await host.StopAsync();

        Assert.NotNull(_store.Entry(1).Stored.ExpiresAt);
    }

    private WorkHost Create(Action<TaskRecoveryBuilder> register) => _jobs.CreateHost(register, store: _store);

    [JobKind("schedules.report")]
    private sealed record Report(string Name);

    private sealed record Greeting(string Name);

    private sealed class ReportHandler : ITaskHandler<Report>
    {
        public Task RunAsync(TaskContext<Report> context, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
