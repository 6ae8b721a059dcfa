using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Jobs;

/// <summary>Declaring jobs with schedules, looking ahead, and pausing.</summary>
public sealed class JobScheduleTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);

    private readonly ScriptedJobs _jobs = new();

    [Fact]
    public async Task Many_jobs_with_any_schedule_share_one_handler()
    {
        await using var host = Create(builder => builder
            .AddTaskHandler<TestArgs, TestHandler>()
            .AddCronJob(
                "nightly", "0 2 * * *", new TestArgs(1), "Europe/Berlin", definition => definition with { Overlap = OverlapPolicy.Allow })
            .AddJob("once", Schedule.Once(Now), new TestArgs(2))
            .AddIntervalJob("often", TimeSpan.FromMinutes(5), new TestArgs(3)));

        await host.StartAsync();
        await host.StopAsync();

        Assert.Equal(["nightly", "once", "often"], _jobs.Upserts.Select(job => job.Definition.Name));
        Assert.Equal(
            (Schedule.Cron("0 2 * * *", "Europe/Berlin"), OverlapPolicy.Allow),
            (_jobs.Upserts[0].Definition.Schedule, _jobs.Upserts[0].Definition.Overlap));
        Assert.All(_jobs.Upserts, job => Assert.Equal("task:test.work", job.EntryKind));
    }

    [Fact]
    public void Bad_expression_or_zone_is_refused_where_the_job_is_declared()
    {
        Assert.Throws<ArgumentException>(() => Create(builder => builder.AddCronJob("x", "61 * * * *", new TestArgs())));
        Assert.Throws<TimeZoneNotFoundException>(
            () => Create(builder => builder.AddCronJob("x", "* * * * *", new TestArgs(), "Mars/Base")));
        Assert.Throws<ArgumentException>(() => Create(builder => builder.AddCronJob("x", "0 0 31 4 *", new TestArgs())));
    }

    [Fact]
    public async Task Digest_of_a_declaration_changes_with_what_is_declared_and_with_nothing_else()
    {
        var first = await DeclareAsync(new TestArgs(1), static definition => definition);
        var digests = new List<string?>
        {
            first,
            await DeclareAsync(new TestArgs(2), static definition => definition),
            await DeclareAsync(new TestArgs(1), static definition => definition with { Schedule = Schedule.Cron("1 * * * *") }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { Overlap = OverlapPolicy.Allow }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { MissedRuns = MissedRunPolicy.Skip }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { CatchUpWithin = TimeSpan.FromHours(1) }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { CatchUpLimit = 3 }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { ExpiresAfter = TimeSpan.FromHours(1) }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { Queue = "other" }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { Priority = 1 }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { MaxAttempts = 3 }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { Timeout = TimeSpan.FromHours(1) }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { StartAt = Now }),
            await DeclareAsync(new TestArgs(1), static definition => definition with { EndAt = Now }),
            await DeclareAsync(
                new TestArgs(1), static definition => definition with { Except = ScheduleExceptions.Dates(new DateOnly(2026, 12, 25)) }),
        };

        Assert.Equal(first, await DeclareAsync(new TestArgs(1), static definition => definition with { CatchUpLimit = 100 }));
        Assert.Equal(digests.Count, digests.Distinct().Count());
        Assert.DoesNotContain(null, digests);
    }

    [Fact]
    public async Task Change_at_run_time_has_no_digest()
    {
        await using var host = Create(static _ => { });

        await host.Services.GetRequiredService<IJobService>().CreateOrUpdateAsync(
            new JobDefinition("x", Schedule.Cron("* * * * *")), new TestArgs());

        Assert.Null(Assert.Single(_jobs.Upserts).DeclaredAs);
    }

    [Fact]
    public async Task Next_runs_begin_with_the_planned_one()
    {
        var clock = new ManualTimeProvider();
        await using var host = Create(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var jobs = host.Services.GetRequiredService<IJobService>();
        var next = clock.GetUtcNow().AddHours(6);
        _jobs.Job = _jobs.Job with { Schedule = Schedule.Cron("0 */6 * * *"), NextRunAt = next, EndAt = next.AddHours(19) };

        Assert.Equal([next, next.AddHours(6), next.AddHours(12)], await jobs.GetNextRunsAsync(_jobs.Job.Id, 3));
        Assert.Equal(4, (await jobs.GetNextRunsAsync(_jobs.Job.Id, 100)).Count);
        Assert.Single(await jobs.GetNextRunsAsync(_jobs.Job.Id, 1));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => jobs.GetNextRunsAsync(_jobs.Job.Id, 0));
        _jobs.Job = _jobs.Job with { State = JobState.Paused, NextRunAt = null };
        Assert.Empty(await jobs.GetNextRunsAsync(_jobs.Job.Id));
    }

    [Theory]
    [InlineData(MissedRunPolicy.RunOnce, -2.5, new[] { -2.5, 0.5, 1.5 })]
    [InlineData(MissedRunPolicy.Skip, -2.5, new[] { 0.5, 1.5, 2.5 })]
    [InlineData(MissedRunPolicy.Skip, -0.5, new[] { -0.5, 0.5, 1.5 })] // it is late, but not missed
    [InlineData(MissedRunPolicy.RunAll, -5.5, new[] { -1.5, -0.5, 0.5 })] // two are made up for
    [InlineData(MissedRunPolicy.RunAll, 0.5, new[] { 0.5, 1.5, 2.5 })]
    public async Task Next_runs_of_an_overdue_job_are_those_that_will_run(MissedRunPolicy policy, double next, double[] expected)
    {
        var clock = new ManualTimeProvider();
        var now = clock.GetUtcNow();
        await using var host = Create(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var jobs = host.Services.GetRequiredService<IJobService>();
        _jobs.Job = _jobs.Job with
        {
            Schedule = Schedule.Every(TimeSpan.FromHours(1)),
            MissedRuns = policy,
            CatchUpLimit = 2,
            NextRunAt = now.AddHours(next),
        };

        Assert.Equal(expected.Select(hours => now.AddHours(hours)), await jobs.GetNextRunsAsync(_jobs.Job.Id, 3));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => jobs.GetNextRunsAsync(_jobs.Job.Id, 1_001));
    }

    [Fact]
    public async Task Next_runs_do_not_contain_an_overdue_run_that_has_expired()
    {
        var clock = new ManualTimeProvider();
        await using var host = Create(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        _jobs.Job = _jobs.Job with
        {
            Schedule = Schedule.Once(clock.GetUtcNow().AddHours(-1)),
            ExpiresAfter = TimeSpan.FromMinutes(5),
            NextRunAt = clock.GetUtcNow().AddHours(-1),
        };

        Assert.Empty(await host.Services.GetRequiredService<IJobService>().GetNextRunsAsync(_jobs.Job.Id));
    }

    [Fact]
    public void Definition_shows_its_runs_before_it_is_stored()
    {
        var nightly =
            new JobDefinition("nightly", Schedule.Cron("0 2 * * *")) { Except = ScheduleExceptions.Dates(new DateOnly(2026, 3, 3)) };
        var often = new JobDefinition("often", Schedule.Every(TimeSpan.FromHours(1))) { StartAt = Now.AddHours(5) };

        Assert.Equal([Now.AddHours(16), Now.AddHours(64)], nightly.GetRunsAfter(Now, 2));
        Assert.Equal([Now.AddHours(5), Now.AddHours(6)], often.GetRunsAfter(Now, 2));
        Assert.Equal([Now.AddHours(1)], (often with { StartAt = null }).GetRunsAfter(Now, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => often.GetRunsAfter(Now, 1_001));
        Assert.Empty(often.GetRunsAfter(DateTimeOffset.MaxValue, 2));
        Assert.Empty(nightly.GetRunsAfter(DateTimeOffset.MaxValue, 2));
    }

    [Fact]
    public void Definition_of_a_single_run_shows_it_until_it_is_over()
    {
        var once = new JobDefinition("go live", Schedule.Once(Now.AddHours(5)));

        Assert.Equal([Now.AddHours(5)], once.GetRunsAfter(Now));
        Assert.Equal([Now.AddHours(5)], (once with { StartAt = Now.AddHours(6), EndAt = Now.AddHours(7) }).GetRunsAfter(Now, 1));
        Assert.Empty(once.GetRunsAfter(Now.AddHours(5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => once.GetRunsAfter(Now, 0));
    }

    [Fact]
    public async Task Backfill_runs_the_due_times_of_a_range_before_the_planned_run()
    {
        await using var host = Create(static _ => { });
        var jobs = host.Services.GetRequiredService<IJobService>();
        foreach (var schedule in new[] { Schedule.Cron("0 * * * *"), Schedule.Every(TimeSpan.FromHours(1)) })
        {
            _jobs.Backfilled.Clear();
            _jobs.Job = _jobs.Job with { Schedule = schedule, NextRunAt = Now };

            Assert.Equal(3, await jobs.BackfillAsync(_jobs.Job.Id, Now.AddHours(-3), Now.AddHours(5)));
            Assert.Equal([Now.AddHours(-3), Now.AddHours(-2), Now.AddHours(-1)], _jobs.Backfilled);
            Assert.Equal(0, await jobs.BackfillAsync(_jobs.Job.Id, Now.AddMinutes(-50), Now.AddMinutes(-10)));
            await Assert.ThrowsAsync<ArgumentException>(() => jobs.BackfillAsync(_jobs.Job.Id, Now.AddYears(-2), Now));
            var error = await Assert.ThrowsAsync<ArgumentException>(() => jobs.BackfillAsync(_jobs.Job.Id, DateTimeOffset.MinValue, Now));
            Assert.StartsWith("The range begins at 0001-01-01", error.Message, StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<ArgumentException>(() => jobs.BackfillAsync(_jobs.Job.Id, Now, Now.AddSeconds(-1)));
        _jobs.Job = _jobs.Job with { State = JobState.Paused, NextRunAt = null };
        await Assert.ThrowsAsync<InvalidOperationException>(() => jobs.BackfillAsync(_jobs.Job.Id, Now, Now));
    }

    [Fact]
    public async Task Pause_passes_on_who_and_why_and_refuses_what_cannot_be_stored()
    {
        await using var host = Create(static _ => { });
        var jobs = host.Services.GetRequiredService<IJobService>();

        Assert.True(await jobs.PauseAsync(_jobs.Job.Id, "maintenance", "ann", Now));

        Assert.Equal(("maintenance", "ann", Now), (_jobs.Pause!.Reason, _jobs.Pause.Actor, _jobs.Pause.Until));
        await Assert.ThrowsAsync<ArgumentException>(() => jobs.PauseAsync(_jobs.Job.Id, "a\0b"));
        await Assert.ThrowsAsync<ArgumentException>(() => jobs.PauseAsync(_jobs.Job.Id, actor: new string('x', 201)));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => jobs.PauseAsync(_jobs.Job.Id, until: DateTimeOffset.MaxValue));
    }

    [Fact]
    public async Task Pause_of_a_job_that_has_ended_says_so()
    {
        await using var host = Create(static _ => { });
        var operate = host.Services.GetRequiredService<IQueueOperator>();
        _jobs.Job = _jobs.Job with { State = JobState.Ended, NextRunAt = null };

        var ended = await operate.PauseAsync(PauseTarget.Job(_jobs.Job.Id), new AuditInfo("ann"));
        var paused = await host.Services.GetRequiredService<IJobService>().PauseAsync(_jobs.Job.Id, "maintenance");
        _jobs.HasJob = false;
        var missing = await operate.PauseAsync(PauseTarget.Job(_jobs.Job.Id), new AuditInfo("ann"));

        Assert.Equal((OperatorResult.AlreadyEnded, false, OperatorResult.NotFound), (ended, paused, missing));
    }

    [Fact]
    public async Task Search_in_the_names_of_jobs_is_refused_because_it_is_a_question_to_the_monitor()
    {
        await using var host = Create(static _ => { });
        var jobs = host.Services.GetRequiredService<IJobService>();

        var error = await Assert.ThrowsAsync<ArgumentException>(() => jobs.ListAsync(new JobQuery { NameContains = "report" }));

        Assert.StartsWith(
            "NameContains is 'report': use IQueueMonitor.ListJobsAsync to search in names.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_now_with_a_policy_that_does_not_exist_is_refused()
    {
        await using var host = Create(static _ => { });
        var jobs = host.Services.GetRequiredService<IJobService>();

        var error = await Assert.ThrowsAsync<ArgumentException>(() => jobs.TriggerNowAsync(_jobs.Job.Id, (OverlapPolicy)9));

        Assert.StartsWith("overlap is '9': use one of Skip", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<Exception, string> Problems { get; } = new()
    {
        { new TimeZoneNotFoundException("no zone 'Mars/Base'"), "no zone 'Mars/Base'" },
        { new InvalidTimeZoneException("/usr/share/zoneinfo is damaged"), "tzdata" },
        { TooLarge("61"), "The minute '61' is too large." },
        { new FormatException("no date"), "no date" },
    };

    private static ArgumentException TooLarge(string minute) => new($"The minute '{minute}' is too large.", nameof(minute));

    [Theory]
    [MemberData(nameof(Problems))]
    public async Task Job_that_this_process_cannot_plan_is_named_by_a_resume(Exception problem, string expected)
    {
        await using var host = Create(static _ => { });
        _jobs.ResumeFailure = problem;

        var error = await Assert.ThrowsAsync<JobUnplannableException>(
            () => host.Services.GetRequiredService<IJobService>().ResumeAsync(_jobs.Job.Id));

        Assert.Equal((_jobs.Job.Name, problem), (error.JobName, error.InnerException));
        Assert.Contains(expected, error.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain("/usr/share", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Parameter", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Job_that_this_process_cannot_plan_has_no_preview_and_no_backfill()
    {
        await using var host = Create(static _ => { });
        var jobs = host.Services.GetRequiredService<IJobService>();
        foreach (var broken in new[]
        {
            StoredSchedule.Read(null, null, "61 * * * *", null),
            StoredSchedule.Read(null, null, "* * * * *", "Mars/Base"),
        })
        {
            _jobs.Job = _jobs.Job with { Schedule = broken, NextRunAt = Now };

            await Assert.ThrowsAsync<JobUnplannableException>(() => jobs.GetNextRunsAsync(_jobs.Job.Id));
            await Assert.ThrowsAsync<JobUnplannableException>(() => jobs.BackfillAsync(_jobs.Job.Id, Now.AddHours(-3), Now));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => jobs.GetNextRunsAsync(_jobs.Job.Id, 0));
        }
    }

    [Fact]
    public async Task Job_that_this_node_cannot_plan_is_logged_once()
    {
        await using var host = Create(static _ => { });
        var jobs = host.Services.GetRequiredService<IJobService>();
        _jobs.Recovery = new JobRecovery(0, [new UnplannableJob("mars", "The time zone 'Mars/Base' is not known on this machine.")]);

        await jobs.RecoverJobsAsync();
        await jobs.RecoverJobsAsync();

        Assert.Equal(1, host.Log.Count(4006));
    }

    private async Task<string?> DeclareAsync(TestArgs args, Func<JobDefinition, JobDefinition> configure)
    {
        _jobs.Upserts.Clear();
        await using var host = Create(
            builder => builder.AddTaskHandler<TestArgs, TestHandler>().AddCronJob("job", "0 * * * *", args, configure: configure));
        await host.StartAsync();
        await host.StopAsync();
        return Assert.Single(_jobs.Upserts).DeclaredAs;
    }

    private WorkHost Create(Action<TaskRecoveryBuilder> register) => _jobs.CreateHost(register);
}
