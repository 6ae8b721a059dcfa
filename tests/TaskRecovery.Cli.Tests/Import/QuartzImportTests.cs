using Quartz;
using TaskRecovery.Cli.Import;

namespace TaskRecovery.Cli.Tests.Import;

/// <summary>Triggers that the real Quartz stored are imported.</summary>
public abstract class QuartzImportTests(bool isPostgreSql) : ImportTests(isPostgreSql)
{
    private const string Types = "TaskRecovery.Cli.Tests.Import";

    private static readonly string[] Maps = ["--map", $"{Types}.ReportJob=report", "--map", $"{Types}.SyncJob=sync"];

    private static readonly DateTimeOffset Soon = new(DateTime.UtcNow.Date.AddDays(3), TimeSpan.Zero);

    [Fact]
    public async Task Cron_triggers_become_jobs()
    {
        await using var old = await OldQuartz.CreateAsync();
        await old.ScheduleAsync(async scheduler =>
        {
            var report = JobBuilder.Create<ReportJob>().WithIdentity("report")
                .UsingJobData("Team", "sales").UsingJobData("Days", 7).Build();
            await scheduler.ScheduleJob(report, TriggerBuilder.Create().WithIdentity("daily", "office").UsingJobData("Days", 1)
                .WithCronSchedule("0 0 6 ? * 2-6", cron => cron.InTimeZone(TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"))
                    .WithMisfireInstruction(CronTriggerMisfireInstruction.DoNothing)).EndAt(Soon.AddYears(1)).Build());
        });

        var dry = await ImportAsync(old, [.. Maps, "--json"]);
        var result = await ImportAsync(old, [.. Maps, "--yes", "--json"]);
        var again = await ImportAsync(old, [.. Maps, "--yes", "--json"]);

        AssertCounts(dry, created: 1, existing: 0, refused: 0);
        AssertCounts(result, created: 1, existing: 0, refused: 0);
        AssertCounts(again, created: 0, existing: 1, refused: 0);
        var job = (await JobAsync("report"))!;
        Assert.Equal(
            ("report", "cron 0 0 6 * * 1-5 in Europe/Berlin", TaskRecovery.OverlapPolicy.Skip, MissedRunPolicy.Skip, Soon.AddYears(1)),
            (job.Kind, job.Schedule.ToString(), job.Overlap, job.MissedRuns, job.EndAt));
        var args = CliResult.Parse(job.Args);
        Assert.Equal(("sales", 1), (args.GetProperty("Team").GetString(), args.GetProperty("Days").GetInt32()));
    }

    [Fact]
    public async Task A_simple_trigger_becomes_an_interval_or_an_entry()
    {
        await using var old = await OldQuartz.CreateAsync();
        await old.ScheduleAsync(
            async scheduler =>
            {
                var sync = JobBuilder.Create<SyncJob>().WithIdentity("sync", "shop").UsingJobData("Shop", "5").Build();
                await scheduler.ScheduleJob(
                    sync,
                    [
                        TriggerBuilder.Create().WithIdentity("forever").StartAt(Soon).WithOverlapPolicy(Quartz.OverlapPolicy.BufferOne)
                            .WithSimpleSchedule(simple => simple.WithInterval(TimeSpan.FromMinutes(5)).RepeatForever()).Build(),
                        TriggerBuilder.Create().WithIdentity("thrice").StartAt(Soon)
                            .WithSimpleSchedule(simple => simple.WithInterval(TimeSpan.FromHours(1)).WithRepeatCount(2)).Build(),
                        TriggerBuilder.Create().WithIdentity("once").StartAt(Soon).Build(),
                    ],
                    cancellationToken: TestContext.Current.CancellationToken);
            },
            asStrings: true);

        var result = await ImportAsync(old, [.. Maps, "--yes", "--json"]);

        AssertCounts(result, created: 3, existing: 0, refused: 0);
        var forever = (await JobAsync("shop.sync/forever"))!;
        Assert.Equal(
            ("every 00:05:00", Soon, null, TaskRecovery.OverlapPolicy.QueueOne, Soon),
            (forever.Schedule.ToString(), forever.StartAt, forever.EndAt, forever.Overlap, forever.NextRunAt));
        var thrice = (await JobAsync("shop.sync/thrice"))!;
        Assert.Equal((Soon.AddHours(2), TaskRecovery.OverlapPolicy.Allow), (thrice.EndAt, thrice.Overlap));
        var once = Assert.Single(await EntriesAsync(), static entry => entry.Kind == "sync");
        Assert.Equal((Soon, "5"), (once.RunAt, CliResult.Parse(once.Args).GetProperty("Shop").GetString()));
    }

    [Theory]
    [InlineData(null, 1, 4)]
    [InlineData("7", 7, 7)]
    public async Task A_run_has_one_attempt_and_the_retries_of_its_trigger(string? given, int plain, int retried)
    {
        await using var old = await OldQuartz.CreateAsync();
        await old.ScheduleAsync(async scheduler =>
        {
            await AddAsync("single", static trigger => trigger.WithCronSchedule("0 0 6 * * ?"));
            await AddAsync("once", static trigger => trigger);
            await AddAsync("retried", static trigger => trigger.WithCronSchedule("0 0 6 * * ?")
                .WithRetryPolicy(RetryPolicy.Fixed(3, TimeSpan.FromSeconds(30))));

            async Task AddAsync(string name, Func<TriggerBuilder<IJob>, TriggerBuilder<IJob>> change)
                => await scheduler.ScheduleJob(
                    JobBuilder.Create<SyncJob>().WithIdentity(name).Build(),
                    change(TriggerBuilder.Create().WithIdentity(name).StartAt(Soon)).Build());
        });

        string[] attempts = given is null ? [] : ["--max-attempts", given];
        var dry = await ImportAsync(old, [.. Maps, .. attempts]);
        var result = await ImportAsync(old, [.. Maps, .. attempts, "--yes", "--json"]);

        AssertCounts(result, created: 3, existing: 0, refused: 0);
        Assert.Contains(dry.Lines, line => line.Contains("job 'single' of 'sync'", StringComparison.Ordinal)
            && line.Contains($", {plain} attempt", StringComparison.Ordinal));
        Assert.Equal((plain, retried), ((await JobAsync("single"))!.MaxAttempts, (await JobAsync("retried"))!.MaxAttempts));
        Assert.Equal(
            plain, Assert.Single(await EntriesAsync(), static entry => entry is { Kind: "sync" }).MaxAttempts);
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData("none", 1)]
    [InlineData("fixed;3;00:00:30", 4)]
    [InlineData("exp;5;00:00:10;2;01:00:00;j0.5", 6)]
    [InlineData("fixed;2147483647;00:00:30", 1_000)]
    [InlineData("list;00:00:10;1.00:00:00", 3)]
    public void A_stored_retry_policy_has_a_number_of_attempts(string? policy, int attempts)
        => Assert.Equal(attempts, QuartzTrigger.AttemptsOf(policy));

    [Fact]
    public async Task A_priority_is_not_taken_over_because_the_order_is_reversed_there()
    {
        await using var old = await OldQuartz.CreateAsync();
        await old.ScheduleAsync(async scheduler => await scheduler.ScheduleJob(
            JobBuilder.Create<ReportJob>().WithIdentity("report").Build(),
            TriggerBuilder.Create().WithIdentity("daily").StartAt(Soon).WithPriority(9).WithCronSchedule("0 0 6 * * ?").Build()));

        var result = await ImportAsync(old, [.. Maps, "--yes", "--json"]);

        AssertCounts(result, created: 1, existing: 0, refused: 0);
        Assert.Equal(5, (await JobAsync("report"))!.Priority);
    }

    [Fact]
    public async Task What_can_not_be_imported_is_listed_with_the_reason()
    {
        await using var old = await OldQuartz.CreateAsync();
        await old.ScheduleAsync(async scheduler =>
        {
            await AddAsync<SyncJob>("interval", trigger => trigger.WithCalendarIntervalSchedule(
                x => x.WithInterval(1, IntervalUnit.Month)));
            await AddAsync<SyncJob>("year", trigger => trigger.WithCronSchedule("0 0 6 * * ? 2099"));
            await AddAsync<SyncJob>("fast", trigger => trigger.WithSimpleSchedule(
                x => x.WithInterval(TimeSpan.FromMilliseconds(100)).RepeatForever()));
            await AddAsync<SyncJob>("paused", trigger => trigger.WithCronSchedule("0 0 6 * * ?"));
            await scheduler.PauseTrigger(new TriggerKey("paused"));
            await AddAsync<SyncJob>("after", trigger => trigger.WithSimpleSchedule(
                x => x.WithInterval(TimeSpan.FromMinutes(1)).RepeatForever().MeasureIntervalFromCompletion(true)));
            await AddAsync<ReportJob>("unmapped", trigger => trigger.WithCronSchedule("0 0 6 * * ?"));
            await AddAsync<SyncJob>("binary", trigger => trigger.WithCronSchedule("0 0 6 * * ?"));

            async Task AddAsync<T>(string name, Func<TriggerBuilder<IJob>, TriggerBuilder<IJob>> schedule)
                where T : IJob
                => await scheduler.ScheduleJob(
                    JobBuilder.Create<T>().WithIdentity(name).Build(),
                    schedule(TriggerBuilder.Create().WithIdentity(name).StartAt(Soon)).Build());
        });
        await old.ExecuteAsync(@"update qrtz_job_details set job_data = '\x0001000000ffffffff' where job_name = 'binary'");

        var result = await ImportAsync(old, ["--map", $"{Types}.SyncJob=sync", "--yes", "--json"]);

        var json = AssertCounts(result, created: 0, existing: 0, refused: 7);
        foreach (var (name, reason) in ((string, string)[])
            [
                ("interval", "calendar intervals have no equivalent"),
                ("year", "in the field year ('2099'), '2' at character 13 is not allowed"),
                ("fast", "at least one second"),
                ("paused", "it is paused"),
                ("after", "its interval begins when a run ends"),
                ("unmapped", $"'{Types}.ReportJob' is not mapped: add --map '{Types}.ReportJob=KIND'"),
                ("binary", "binary serializer of Quartz 3"),
            ])
        {
            Assert.Contains(reason, Reason(json, $"trigger '{name}' of job '{name}'"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_scheduler_that_runs_is_noticed()
    {
        await using var old = await OldQuartz.CreateAsync();
        await old.ScheduleAsync(async scheduler => await scheduler.ScheduleJob(
            JobBuilder.Create<SyncJob>().Build(), TriggerBuilder.Create().StartAt(Soon).Build()));
        await old.ExecuteAsync(
            $"insert into qrtz_scheduler_state select sched_name, 'node1', {DateTime.UtcNow.Ticks}, 600000 from qrtz_job_details");

        (await ImportAsync(old, [.. Maps, "--yes"])).AssertFailed(1, "the scheduler 'node1' of Quartz has checked in lately");
        var forced = await ImportAsync(old, [.. Maps, "--yes", "--json", "--while-running"]);

        AssertCounts(forced, created: 1, existing: 0, refused: 0);
    }

    [Fact]
    public async Task Other_tables_are_refused()
    {
        await using var old = await OldQuartz.CreateAsync();
        await old.ExecuteAsync("alter table qrtz_triggers drop column fixed_delay");

        (await ImportAsync(old, [])).AssertFailed(4, "has no column 'fixed_delay', so that it is not that of Quartz 4.7");
        (await ImportAsync(old, ["--prefix", "other_"])).AssertFailed(4, "has no table 'other_triggers'");
    }

    private async Task<CliResult> ImportAsync(OldQuartz old, string[] args)
    {
        Cli.Variables["OLD"] = old.ConnectionString;
        return await Cli.RunAsync(["import", "quartz", "--from", "OLD", .. args]);
    }
}

public sealed class SqliteQuartzImportTests() : QuartzImportTests(isPostgreSql: false);

public sealed class PostgreSqlQuartzImportTests() : QuartzImportTests(isPostgreSql: true);
