using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests how definitions with cron expressions, ends and exceptions are stored and planned.</summary>
public abstract class CronJobTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    private static readonly AuditInfo Deployment = new("deployment");

    [Fact]
    public async Task Definition_is_read_back_as_it_was_stored()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var start = new DateTimeOffset(now.Year + 1, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var schedule = Schedule.Cron("H 3 * * MON-FRI", "Europe/Berlin");
        var job = await GivenJobAsync(schedule, definition => definition with
        {
            StartAt = start,
            EndAt = start.AddYears(1),
            Except = ScheduleExceptions.Dates(new DateOnly(2027, 12, 24), new DateOnly(2027, 12, 31)),
            CatchUpWithin = TimeSpan.FromHours(5),
            CatchUpLimit = 7,
            ExpiresAfter = TimeSpan.FromMinutes(90),
            MissedRuns = MissedRunPolicy.RunAll,
        });

        foreach (var read in new[] { job, await FindJobAsync(job.Id), Assert.Single(
            await Jobs.ListAsync(Cancellation)), (await Jobs.FindByNameAsync("report", Cancellation))! })
        {
            Assert.Equal((schedule, start, start.AddYears(1)), (read.Schedule, read.StartAt, read.EndAt));
            Assert.Equal("2027-12-24,2027-12-31", read.Except?.Text);
            Assert.Equal((TimeSpan.FromHours(5), 7, TimeSpan.FromMinutes(90)), (read.CatchUpWithin, read.CatchUpLimit, read.ExpiresAfter));
            Assert.Equal(schedule.NextAfter(start.AddTicks(-1), "report"), read.NextRunAt);
        }
    }

    [Fact]
    public async Task Cron_job_is_planned_at_the_next_occurrence()
    {
        var schedule = FarAhead(await Fixture.GetTimeAsync(Cancellation));
        var job = await GivenJobAsync(schedule);

        var expected = schedule.NextAfter(await Fixture.GetTimeAsync(Cancellation));
        Assert.Equal(expected, job.NextRunAt);
        Assert.Equal(expected, Assert.Single(await WaitingRunsAsync()).RunAt);
    }

    [Fact]
    public async Task The_same_definition_again_changes_nothing_and_another_expression_plans_anew()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var first = await GivenJobAsync(FarAhead(now));
        var planned = Assert.Single(await WaitingRunsAsync()).Id;

        var again = await GivenJobAsync(FarAhead(now));
        Assert.Equal((first.NextRunAt, first.UpdatedAt), (again.NextRunAt, again.UpdatedAt));
        Assert.Equal(planned, Assert.Single(await WaitingRunsAsync()).Id);

        var changed = await GivenJobAsync(FarAhead(now, hour: 12));
        Assert.Equal(first.NextRunAt!.Value.AddHours(12), changed.NextRunAt);
        Assert.NotEqual(planned, Assert.Single(await WaitingRunsAsync()).Id);
    }

    [Fact]
    public async Task Job_whose_end_has_passed_has_ended_and_runs_again_when_the_end_is_put_off()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var ended = await GivenJobAsync(Schedule.Cron("* * * * *"), definition => definition with { EndAt = now.AddYears(-1) });

        Assert.Equal((JobState.Ended, null), (ended.State, ended.NextRunAt));
        Assert.Empty(await WaitingRunsAsync());
        Assert.Equal(0, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);

        var runs = await GivenJobAsync(Schedule.Cron("* * * * *"), definition => definition with { EndAt = now.AddYears(1) });
        Assert.Equal(JobState.Active, runs.State);
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Pause_does_not_count_from_an_older_one_during_which_the_job_ended()
    {
        var job = await GivenJobAsync();
        await Jobs.PauseAsync(job.Id, new PauseInfo { Reason = "old", Actor = "ann" }, Cancellation);
        var past = await Fixture.GetTimeAsync(Cancellation) - (10 * Hour);
        Assert.Equal(JobState.Ended, (await GivenJobAsync(configure: definition => definition with { EndAt = past })).State);
        Assert.Equal(JobState.Active, (await GivenJobAsync()).State);
        await ShiftTimeAsync(2 * Hour);

        await Jobs.PauseAsync(job.Id, new PauseInfo { Reason = "new" }, Cancellation);

        var pause = (await FindJobAsync(job.Id)).Pause!;
        Assert.Equal(("new", null), (pause.Reason, pause.Actor));
        Assert.InRange(await Fixture.GetTimeAsync(Cancellation) - pause.Since!.Value, TimeSpan.FromMinutes(-1), Hour);
    }

    [Fact]
    public async Task Pause_says_why_and_until_when()
    {
        var job = await GivenJobAsync();
        var until = new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

        Assert.True(await Jobs.PauseAsync(job.Id, new PauseInfo { Reason = "maintenance", Actor = "ann", Until = until }, Cancellation));
        var paused = await FindJobAsync(job.Id);
        Assert.Equal(
            (JobState.Paused, "maintenance", "ann", until), (paused.State, paused.Pause?.Reason, paused.Pause?.Actor, paused.Pause?.Until));
        Assert.True((await Fixture.GetTimeAsync(Cancellation) - paused.Pause!.Since!.Value).Duration() < TimeSpan.FromMinutes(1));

        Assert.True(await Jobs.PauseAsync(job.Id, new PauseInfo { Reason = "still maintenance" }, Cancellation));
        var again = await FindJobAsync(job.Id);
        Assert.Equal(new PauseInfo { Since = paused.Pause.Since, Reason = "still maintenance" }, again.Pause);

        Assert.True(await Jobs.ResumeAsync(job.Id, Cancellation));
        Assert.Null((await FindJobAsync(job.Id)).Pause);
        Assert.False(await Jobs.PauseAsync(Guid.NewGuid(), new PauseInfo(), Cancellation));
        Assert.False(await Jobs.ResumeAsync(Guid.NewGuid(), Cancellation));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pause_that_has_ended_loses_no_run_that_was_due_since(bool isResumedByAnOperator)
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = now.AddMinutes(30) });
        await Jobs.PauseAsync(job.Id, new PauseInfo { Until = now.AddHours(2) }, Cancellation);

        Assert.Equal(0, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);
        Assert.Equal(JobState.Paused, (await FindJobAsync(job.Id)).State);

        // 0:30 and 1:30 passed during the pause, 2:30 after it.
        await ShiftTimeAsync(TimeSpan.FromMinutes(165));
        await (isResumedByAnOperator ? Jobs.ResumeAsync(job.Id, Cancellation) : (Task)Jobs.RecoverJobsAsync(Cancellation));

        var resumed = await FindJobAsync(job.Id);
        Assert.Equal((JobState.Active, null), (resumed.State, resumed.Pause));
        var (_, task) = await GivenRunningTaskAsync(GivenNode());
        Assert.InRange(task.DueAt!.Value, now.AddMinutes(-16), now.AddMinutes(-14));
    }

    [Fact]
    public async Task Change_at_run_time_stays_until_the_code_declares_something_else()
    {
        var declared = NewJob() with { DeclaredBy = "shop", DeclaredAs = "one" };
        await Jobs.UpsertAsync(declared, Cancellation);
        await Jobs.UpsertAsync(NewJob(schedule: Schedule.Every(3 * Hour)), Cancellation);

        var deployed = await Jobs.UpsertAsync(declared, Cancellation);
        Assert.Equal(3 * Hour, deployed.Schedule.Interval);

        var changed = await Jobs.UpsertAsync(
            NewJob(schedule: Schedule.Every(2 * Hour)) with { DeclaredBy = "shop", DeclaredAs = "two" }, Cancellation);
        Assert.Equal((2 * Hour, "shop"), (changed.Schedule.Interval, changed.DeclaredBy));
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Job_that_another_application_declares_by_now_is_no_orphan_and_is_not_deleted_as_one()
    {
        var job = await Jobs.UpsertAsync(NewJob() with { DeclaredBy = "shop", DeclaredAs = "one" }, Cancellation);
        var listed = Assert.Single(await Jobs.ListDeclaredAsync("shop", Cancellation));
        await Jobs.UpsertAsync(NewJob() with { DeclaredBy = "billing", DeclaredAs = "two" }, Cancellation);

        await Jobs.SetOrphanedAsync("shop", [listed.Name], Cancellation);
        Assert.Null((await FindJobAsync(job.Id)).OrphanedAt);
        await Jobs.SetOrphanedAsync("billing", [listed.Name], Cancellation);
        Assert.NotNull((await FindJobAsync(job.Id)).OrphanedAt);

        Assert.False(await Jobs.DeleteOrphanAsync("shop", listed.Name, TimeSpan.Zero, Deployment, Cancellation));
        Assert.False(await Jobs.DeleteOrphanAsync("billing", listed.Name, Hour, Deployment, Cancellation));
        await ShiftTimeAsync(Hour);
        Assert.True(await Jobs.DeleteOrphanAsync("billing", listed.Name, Hour, Deployment, Cancellation));
        Assert.Null(await Jobs.FindAsync(job.Id, Cancellation));
        Assert.Empty(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Job_that_is_no_longer_declared_is_an_orphan_until_it_is_declared_again()
    {
        var declared = NewJob() with { DeclaredBy = "shop", DeclaredAs = "one" };
        var job = await Jobs.UpsertAsync(declared, Cancellation);

        await Jobs.SetOrphanedAsync("shop", ["report", "unknown"], Cancellation);
        var orphan = await FindJobAsync(job.Id);
        Assert.True((await Fixture.GetTimeAsync(Cancellation) - orphan.OrphanedAt!.Value).Duration() < TimeSpan.FromMinutes(1));
        await ShiftTimeAsync(Hour);
        await Jobs.SetOrphanedAsync("shop", ["report"], Cancellation);
        Assert.Equal(orphan.OrphanedAt.Value - Hour, (await FindJobAsync(job.Id)).OrphanedAt);

        // A change at run time does not adopt it.
        Assert.NotNull((await GivenJobAsync(Schedule.Every(2 * Hour))).OrphanedAt);
        Assert.Null((await Jobs.UpsertAsync(declared, Cancellation)).OrphanedAt);
        await Jobs.SetOrphanedAsync("shop", ["report"], Cancellation);
        Assert.Null((await Jobs.UpsertAsync(declared with { DeclaredAs = "two" }, Cancellation)).OrphanedAt);
        Assert.Null((await FindJobAsync(job.Id)).OrphanedAt);
    }

    [Theory]
    [InlineData("time_zone", "'Mars/Base'")]
    [InlineData("cron", "'61 * * * *'")]
    public async Task Job_that_this_node_cannot_plan_is_named_and_does_not_stop_the_others(string column, string value)
    {
        var foreign = await GivenJobAsync(Schedule.Cron("* * * * *"), name: "foreign");
        var known = await GivenJobAsync(name: "known");
        await SetAsync(column, value, "foreign");
        await SetAsync("planned_entry", "null", "foreign");
        await SetAsync("planned_entry", "null", "known");

        var recovery = await Jobs.RecoverJobsAsync(Cancellation);

        Assert.Equal(1, recovery.Planned);
        var problem = Assert.Single(recovery.Unplannable);
        Assert.Equal("foreign", problem.Name);
        Assert.Contains(value, problem.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter", problem.Problem, StringComparison.Ordinal);
        Assert.NotNull((await FindJobAsync(known.Id)).NextRunAt);
        var held = await FindJobAsync(foreign.Id);
        Assert.Equal(JobState.Active, held.State);
        Assert.Equal(value, $"'{(column == "cron" ? held.Schedule.Expression : held.Schedule.TimeZone)}'");
    }

    [Fact]
    public async Task Job_whose_planned_run_is_put_back_again_and_again_is_overdue()
    {
        await GivenJobAsync(Schedule.Cron("* * * * *"));
        await ShiftTimeAsync(2 * Hour);
        await SetAsync("time_zone", "'Mars/Base'", "report");
        for (var round = 0; round < 2; round++)
        {
            var run = await ClaimRunAsync(GivenNode());
            Assert.Equal(TaskStartDecision.Wait, (await StartAsync(run)).Decision);
            await FinishAsync(run.Held, OutcomeKind.Snoozed);
        }

        var recovery = await Jobs.RecoverJobsAsync(Cancellation);

        Assert.Empty(recovery.Unplannable);
        var overdue = Assert.Single(recovery.Overdue);
        Assert.Equal("report", overdue.Name);
        Assert.InRange(overdue.By, Hour, 3 * Hour);
    }

    [Fact]
    public async Task Planned_run_that_waits_for_an_unfinished_one_or_for_the_end_of_a_pause_is_not_overdue()
    {
        await GivenJobAsync();
        var paused = await GivenJobAsync(name: "paused");
        await Jobs.PauseAsync(paused.Id, new PauseInfo(), Deployment, Cancellation);
        Assert.Empty((await Jobs.RecoverJobsAsync(Cancellation)).Overdue);
        var (run, _) = await GivenRunningTaskAsync(GivenNode());
        await ShiftTimeAsync(3 * Hour);

        var busy = await Jobs.RecoverJobsAsync(Cancellation);
        await FinishTaskAsync(run);
        var idle = await Jobs.RecoverJobsAsync(Cancellation);

        Assert.Empty(busy.Overdue);
        Assert.Equal("report", Assert.Single(idle.Overdue).Name);
    }

    [Fact]
    public async Task Problem_of_a_job_names_no_parameter_of_the_library()
    {
        var schedule = FarAhead(await Fixture.GetTimeAsync(Cancellation));
        var paused = await GivenJobAsync(schedule, name: "paused");
        var until = await Fixture.GetTimeAsync(Cancellation) + Hour;
        await Jobs.PauseAsync(paused.Id, new PauseInfo { Until = until }, Cancellation);
        await GivenJobAsync(schedule, name: "active");
        foreach (var planned in await WaitingRunsAsync())
        {
            Assert.True(await Store.CancelAsync(planned.Id, Cancellation));
        }

        var due = await GivenJobAsync(Schedule.Cron("* * * * *"), name: "due");
        await ShiftTimeAsync(2 * Hour);
        foreach (var name in new[] { "paused", "active", "due" })
        {
            await SetAsync("cron", "'61 * * * *'", name);
        }

        UnplannableJob[] unplannable =
            [.. (await Jobs.CorrectPlansAsync(Cancellation)).Unplannable, .. (await Jobs.RecoverJobsAsync(Cancellation)).Unplannable];
        var run = await ClaimRunAsync(GivenNode());
        var start = await StartAsync(run);

        Assert.Equal(["active", "paused"], unplannable.Select(static job => job.Name).Distinct().Order());
        Assert.Equal(due.Id, run.JobId);
        foreach (var problem in unplannable.Select(static job => job.Problem).Append(start.Reason))
        {
            Assert.StartsWith("The cron expression '61 * * * *' can't be used", problem, StringComparison.Ordinal);
            Assert.DoesNotContain("(Parameter", problem, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("time_zone", "'Mars/Base'")]
    [InlineData("cron", "'61 * * * *'")]
    public async Task Job_that_this_node_cannot_plan_is_paused_and_repaired_after_its_planned_run_was_cancelled(string column, string value)
    {
        var paused = await GivenJobAsync(Schedule.Cron("* * * * *"), name: "paused");
        await GivenJobAsync(Schedule.Cron("* * * * *"), name: "active");
        foreach (var run in await WaitingRunsAsync())
        {
            Assert.True(await Store.CancelAsync(run.Id, Cancellation));
        }

        await SetAsync(column, value, "paused");
        await SetAsync(column, value, "active");

        Assert.True(await Jobs.PauseAsync(paused.Id, new PauseInfo(), Deployment, Cancellation));
        var held = await FindJobAsync(paused.Id);
        Assert.Equal((JobState.Paused, null), (held.State, held.NextRunAt));

        var schedule = FarAhead(await Fixture.GetTimeAsync(Cancellation));
        var repaired = await Jobs.UpsertManyAsync([NewJob("paused", schedule), NewJob("active", schedule)], Cancellation);
        var due = schedule.NextAfter(await Fixture.GetTimeAsync(Cancellation));
        (JobState, DateTimeOffset?)[] expected = [(JobState.Paused, null), (JobState.Active, due)];
        Assert.Equal(expected, repaired.Select(static job => (job.State, job.NextRunAt)));
        Assert.Equal(OperatorResult.Done, await Jobs.ResumeAsync(paused.Id, Deployment, Cancellation));
        Assert.Equal([due, due], (await WaitingRunsAsync()).Select(static run => run.RunAt));
    }

    [Fact]
    public async Task Plan_is_corrected_at_the_start_when_the_rules_of_the_time_zone_have_changed()
    {
        var job = await GivenJobAsync(FarAhead(await Fixture.GetTimeAsync(Cancellation)));
        var (due, planned) = (job.NextRunAt!.Value, Assert.Single(await WaitingRunsAsync()).Id);
        Assert.Equal(0, (await Jobs.CorrectPlansAsync(Cancellation)).Planned);

        // Another zone with the same expression is what other rules look like.
        await SetAsync("time_zone", "'Asia/Tokyo'", "report");
        Assert.Equal(1, (await Jobs.CorrectPlansAsync(Cancellation)).Planned);

        Assert.Equal(due.AddHours(-9), (await FindJobAsync(job.Id)).NextRunAt);
        var entry = Assert.Single(await WaitingRunsAsync());
        Assert.Equal(due.AddHours(-9), entry.RunAt);
        Assert.NotEqual(planned, entry.Id);
        Assert.Equal(EndReasons.Superseded, (await FindAsync(planned)).Reason);
    }

    [Fact]
    public async Task Start_that_every_deployment_computes_anew_does_not_postpone_the_planned_run()
    {
        var schedule = FarAhead(await Fixture.GetTimeAsync(Cancellation));
        var job = await GivenJobAsync(schedule);
        var planned = Assert.Single(await WaitingRunsAsync()).Id;

        await GivenJobAsync(schedule, definition => definition with { StartAt = job.NextRunAt!.Value.AddDays(1) });
        Assert.Equal(0, (await Jobs.CorrectPlansAsync(Cancellation)).Planned);

        Assert.Equal(job.NextRunAt, (await FindJobAsync(job.Id)).NextRunAt);
        Assert.Equal(planned, Assert.Single(await WaitingRunsAsync()).Id);
    }

    [Fact]
    public async Task Wrong_plans_of_many_jobs_are_corrected_also_if_a_run_is_claimed_or_cancelled()
    {
        await GivenJobAsync(Schedule.Cron("* * * * *"), name: "job 0");
        var schedule = FarAhead(await Fixture.GetTimeAsync(Cancellation));
        var due = (await GivenJobAsync(schedule, name: "job 1")).NextRunAt;
        for (var number = 2; number < 12; number++)
        {
            await GivenJobAsync(schedule, name: $"job {number}");
        }

        var entries = (await WaitingRunsAsync()).Select(static run => run.Id).ToList();
        Assert.True(await Store.CancelAsync(entries[1], Cancellation));
        await ShiftTimeAsync(TimeSpan.FromMinutes(2));
        var claimed = Assert.Single((await ClaimAsync(GivenNode(), kinds: EntryKind)).Entries).Id;

        // The clock is set back. All plans are some minutes too late then.
        await ShiftTimeAsync(TimeSpan.FromMinutes(-10));

        var corrected = await Jobs.CorrectPlansAsync(Cancellation);

        Assert.Equal((11, 0), (corrected.Planned, corrected.Unplannable.Count));
        Assert.Equal(EndReasons.Superseded, (await FindAsync(claimed)).Reason);
        Assert.Equal(EndReasons.CancelRequested, (await FindAsync(entries[1])).Reason);
        var waiting = await WaitingRunsAsync();
        Assert.Equal(11, waiting.Count);
        Assert.DoesNotContain(waiting, run => entries.Contains(run.Id));
        Assert.Equal(10, waiting.Count(run => run.RunAt == due));
        Assert.Equal(0, (await Jobs.CorrectPlansAsync(Cancellation)).Planned);
        Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));
    }

    private Task SetAsync(string column, string value, string name) => Fixture.SetJobAsync(name, column, value, Cancellation);
}
