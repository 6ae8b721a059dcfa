using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests which due times a job has after its planned run was cancelled, after a pause, and at the edges of its
/// definition.</summary>
public abstract class DueTimeTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task Cancelled_run_does_not_come_back_at_the_next_start()
    {
        var job = await GivenJobAsync(FarAhead(await Fixture.GetTimeAsync(Cancellation)));
        Assert.True(await Store.CancelAsync(Assert.Single(await WaitingRunsAsync()).Id, Cancellation));
        Assert.Equal(1, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);
        var next = Assert.Single(await WaitingRunsAsync());

        Assert.Equal(0, (await Jobs.CorrectPlansAsync(Cancellation)).Planned);

        Assert.Equal(job.NextRunAt!.Value.AddYears(1), (await FindJobAsync(job.Id)).NextRunAt);
        Assert.Equal(next.Id, Assert.Single(await WaitingRunsAsync()).Id);
    }

    [Fact]
    public async Task Part_of_a_microsecond_moves_no_run_out_of_the_limits_of_a_job()
    {
        var year = (await Fixture.GetTimeAsync(Cancellation)).Year + 1;
        var (start, end) = (new DateTimeOffset(year, 3, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(year, 9, 1, 0, 0, 0, TimeSpan.Zero));
        var (late, early) = (start.AddTicks(1), end.AddTicks(-1));

        var monthly = await GivenJobAsync(
            Schedule.Cron("0 0 1 * *"), definition => definition with { StartAt = late, EndAt = early }, "monthly");
        var interval = await GivenJobAsync(
            Schedule.Every(end - start), definition => definition with { StartAt = late, EndAt = end.AddDays(1) }, "interval");

        Assert.Equal((start.AddTicks(10), end.AddTicks(-10)), (monthly.StartAt, monthly.EndAt));
        Assert.Equal(start.AddMonths(1), monthly.NextRunAt);
        Assert.Equal(start.AddTicks(10), interval.NextRunAt);
    }

    [Fact]
    public async Task Pause_does_not_drop_the_run_that_was_due_before_it()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = now.AddMinutes(30) });
        await ShiftTimeAsync(TimeSpan.FromMinutes(50));
        await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
        await ShiftTimeAsync(TimeSpan.FromMinutes(10));

        await Jobs.ResumeAsync(job.Id, Cancellation);

        Assert.Null((await FindJobAsync(job.Id)).Pause);
        Assert.Equal(job.NextRunAt - Hour, (await GivenRunningTaskAsync(GivenNode())).Task.DueAt);
    }

    [Fact]
    public async Task Missed_runs_of_before_a_pause_are_made_up_for_and_those_during_it_are_not()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(
            configure: definition => definition with { StartAt = now.AddMinutes(30), MissedRuns = MissedRunPolicy.RunAll });
        await ShiftTimeAsync(3 * Hour);
        await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
        await ShiftTimeAsync(2 * Hour);
        var first = job.NextRunAt!.Value - (5 * Hour);

        await Jobs.ResumeAsync(job.Id, Cancellation);

        var node = GivenNode();
        foreach (var hours in Enumerable.Range(0, 3))
        {
            var run = await ClaimRunAsync(node);
            var start = await StartAsync(run);
            Assert.Equal((first.AddHours(hours), 0), (start.Task!.DueAt!.Value, start.Dropped));
            await FinishTaskAsync(run);
        }

        Assert.Equal(first.AddHours(5), (await FindJobAsync(job.Id)).NextRunAt);
    }

    [Fact]
    public async Task Runs_of_a_pause_are_not_made_up_for_after_another_one()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(
            configure: definition => definition with { StartAt = now.AddMinutes(30), MissedRuns = MissedRunPolicy.RunAll });
        await ShiftTimeAsync(Hour);
        foreach (var hours in new[] { 2, 1 })
        {
            await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
            await ShiftTimeAsync(hours * Hour);
            await Jobs.ResumeAsync(job.Id, Cancellation);
        }

        var first = job.NextRunAt!.Value - (4 * Hour);
        var (_, task) = await GivenRunningTaskAsync(GivenNode());

        Assert.Equal((first, first.AddHours(4)), (task.DueAt, (await FindJobAsync(job.Id)).NextRunAt));
    }

    [Fact]
    public async Task One_run_for_all_that_were_missed_has_the_first_due_time_also_if_that_is_older_than_the_limit()
    {
        var job = await GivenJobAsync(configure: static definition => definition with { CatchUpWithin = TimeSpan.FromMinutes(45) });
        await ShiftTimeAsync(10.5 * Hour);

        var (_, task) = await GivenRunningTaskAsync(GivenNode());

        Assert.Equal((job.NextRunAt - (10.5 * Hour), true), (task.DueAt, task.IsCatchUp));
    }
}
