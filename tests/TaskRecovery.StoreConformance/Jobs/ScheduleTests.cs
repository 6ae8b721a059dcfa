using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests due times: one task for each, on a grid that does not drift.</summary>
public abstract class ScheduleTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task The_next_run_is_planned_when_the_planned_one_starts()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();

        var (_, task) = await GivenRunningTaskAsync(node);

        var next = (await FindJobAsync(job.Id)).NextRunAt;
        Assert.Equal(job.NextRunAt, task.DueAt);
        Assert.Equal(job.NextRunAt!.Value + Hour, next);
        Assert.Equal(next, Assert.Single(await WaitingRunsAsync()).RunAt);
    }

    [Fact]
    public async Task Due_times_stay_on_the_grid()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var dues = new List<DateTimeOffset> { job.NextRunAt!.Value };
        for (var round = 0; round < 3; round++)
        {
            var (run, task) = await GivenRunningTaskAsync(node);
            Assert.Equal(dues[^1], task.DueAt);
            await FinishTaskAsync(run);
            await ShiftTimeAsync(TimeSpan.FromMinutes(67));
            dues.Add((await FindJobAsync(job.Id)).NextRunAt!.Value);
        }

        // Each round moves all stored times 67 minutes into the past and plans one interval (an hour) ahead.
        Assert.All(dues.Zip(dues.Skip(1)), pair => Assert.Equal(TimeSpan.FromMinutes(-7), pair.Second - pair.First));
    }

    [Fact]
    public async Task One_run_makes_up_for_all_that_were_missed()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        await ShiftTimeAsync(TimeSpan.FromHours(10.5));

        var (run, task) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run);

        var now = await Fixture.GetTimeAsync(Cancellation);
        var next = (await FindJobAsync(job.Id)).NextRunAt!.Value;
        Assert.InRange(next, now, now + Hour);
        Assert.Equal(0, (next - task.DueAt!.Value).Ticks % Hour.Ticks);
        Assert.Empty((await ClaimAsync(node, kinds: EntryKind)).Entries);
    }

    [Fact]
    public async Task Missed_runs_are_skipped_when_the_policy_says_so()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { MissedRuns = MissedRunPolicy.Skip });
        await ShiftTimeAsync(TimeSpan.FromHours(10.5));
        var run = await ClaimRunAsync(node);

        var start = await StartAsync(run);
        await FinishAsync(run.Held, OutcomeKind.Cancelled, reason: start.Reason);

        Assert.Equal((TaskStartDecision.Skip, EndReasons.Missed), (start.Decision, start.Reason));
        var now = await Fixture.GetTimeAsync(Cancellation);
        Assert.InRange((await FindJobAsync(job.Id)).NextRunAt!.Value, now, now + Hour);
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task A_run_that_is_a_little_late_is_not_missed()
    {
        var node = GivenNode();
        await GivenJobAsync(configure: definition => definition with { MissedRuns = MissedRunPolicy.Skip });
        await ShiftTimeAsync(TimeSpan.FromMinutes(50));

        Assert.Equal(TaskStartDecision.Started, (await StartAsync(await ClaimRunAsync(node))).Decision);
    }

    [Fact]
    public async Task Each_missed_run_is_made_up_for_when_the_policy_says_so()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { MissedRuns = MissedRunPolicy.RunAll });
        await ShiftTimeAsync(TimeSpan.FromHours(3.5));
        var first = (await FindJobAsync(job.Id)).NextRunAt!.Value;

        var dues = new List<DateTimeOffset>();
        while ((await WaitingRunsAsync())[0].RunAt <= await Fixture.GetTimeAsync(Cancellation))
        {
            var (run, task) = await GivenRunningTaskAsync(node);
            dues.Add(task.DueAt!.Value);
            await FinishTaskAsync(run);
        }

        Assert.Equal([first, first + Hour, first + (2 * Hour), first + (3 * Hour)], dues);
        Assert.Equal(first + (4 * Hour), (await FindJobAsync(job.Id)).NextRunAt);
    }

    [Theory]
    [InlineData(OverlapPolicy.Skip)]
    [InlineData(OverlapPolicy.QueueOne)]
    [InlineData(OverlapPolicy.CancelPrevious)]
    public async Task Each_missed_run_is_made_up_for_although_the_one_before_it_still_runs(OverlapPolicy overlap)
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with
        {
            MissedRuns = MissedRunPolicy.RunAll,
            CatchUpLimit = 2,
            Overlap = overlap,
        });
        await ShiftTimeAsync(TimeSpan.FromHours(1.5));
        var first = (await FindJobAsync(job.Id)).NextRunAt!.Value;
        var (earlier, task) = await GivenRunningTaskAsync(node);
        var last = await ClaimRunAsync(node);

        var waits = await StartAsync(last);

        // It is the last one, so it is not missed itself, and takes the place of the run that may wait.
        var hasPlace = overlap == OverlapPolicy.QueueOne;
        Assert.Equal((TaskStartDecision.Wait, hasPlace, first), (waits.Decision, waits.Task is not null, task.DueAt));
        Assert.False((await FindAsync(earlier.Held.Id)).CancelRequested);
        Assert.Equal(first + (hasPlace ? 2 * Hour : Hour), (await FindJobAsync(job.Id)).NextRunAt);
        await FinishTaskAsync(earlier);
        var started = await StartAsync(last);
        Assert.Equal(
            (hasPlace ? TaskStartDecision.Recovered : TaskStartDecision.Started, first + Hour), (started.Decision, started.Task!.DueAt));
        Assert.Equal(first + (2 * Hour), (await FindJobAsync(job.Id)).NextRunAt);

        // The next run was not due yet when the last one began, so that it obeys the policy.
        await ShiftTimeAsync(Hour / 2);
        var regular = await StartAsync(await ClaimRunAsync(node));
        Assert.Equal(overlap == OverlapPolicy.Skip ? TaskStartDecision.Skip : TaskStartDecision.Wait, regular.Decision);
        Assert.Equal(overlap == OverlapPolicy.Skip, regular.Task is null);
        Assert.Equal(overlap == OverlapPolicy.CancelPrevious, (await FindAsync(last.Held.Id)).CancelRequested);
    }

    [Fact]
    public async Task A_run_that_is_due_while_an_earlier_one_runs_is_skipped()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var (earlier, _) = await GivenRunningTaskAsync(node);
        await ShiftTimeAsync(TimeSpan.FromMinutes(61));
        var run = await ClaimRunAsync(node);

        var start = await StartAsync(run);
        await FinishAsync(run.Held, OutcomeKind.Cancelled, reason: start.Reason);

        Assert.Equal((TaskStartDecision.Skip, EndReasons.Overlap), (start.Decision, start.Reason));
        Assert.Single(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation));
        Assert.Single(await WaitingRunsAsync());
        Assert.True((await FindJobAsync(job.Id)).NextRunAt > await Fixture.GetTimeAsync(Cancellation));
        await FinishTaskAsync(earlier);
    }

    [Fact]
    public async Task A_run_that_is_due_while_an_earlier_one_waits_for_its_next_attempt_is_skipped()
    {
        var node = GivenNode();
        await GivenJobAsync();
        var (earlier, _) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(earlier, OutcomeKind.Retried, error: "boom", delay: TimeSpan.FromDays(1));
        await ShiftTimeAsync(TimeSpan.FromMinutes(61));

        var start = await StartAsync(await ClaimRunAsync(node));

        Assert.Equal((TaskStartDecision.Skip, EndReasons.Overlap), (start.Decision, start.Reason));
    }

    [Fact]
    public async Task Runs_go_side_by_side_when_the_policy_allows_it()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.Allow });
        var (_, first) = await GivenRunningTaskAsync(node);
        await ShiftTimeAsync(TimeSpan.FromMinutes(61));

        var (_, second) = await GivenRunningTaskAsync(node);

        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal([first.Id, second.Id], (await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation)).Select(task => task.Id));
    }

    [Fact]
    public async Task A_single_run_ends_its_job()
    {
        var node = GivenNode();
        var at = (await Fixture.GetTimeAsync(Cancellation)).AddMinutes(30);
        var job = await GivenJobAsync(Schedule.Once(at));
        Assert.Empty((await ClaimAsync(node, kinds: EntryKind)).Entries);
        await ShiftTimeAsync(Hour);

        var (run, task) = await GivenRunningTaskAsync(node);
        var started = await FindJobAsync(job.Id);
        await FinishTaskAsync(run);

        Assert.InRange(job.NextRunAt!.Value, at.AddMilliseconds(-1), at.AddMilliseconds(1));
        Assert.Equal((JobState.Ended, null), (started.State, started.NextRunAt));
        Assert.Equal(TaskState.Completed, (await FindTaskAsync(task.Id)).State);
        Assert.Empty(await WaitingRunsAsync());
        Assert.Null(await Jobs.TriggerAsync(job.Id, null, Cancellation));
    }

    [Fact]
    public async Task A_single_run_of_the_past_runs_now()
    {
        await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch));

        await GivenRunningTaskAsync(GivenNode());
    }
}
