using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests runs that wait for an earlier run, cancel it, or are made up for.</summary>
public abstract class OverlapTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task Queued_run_waits_for_the_earlier_one_and_the_first_waiting_one_stays()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.QueueOne });
        var (earlier, first) = await GivenRunningTaskAsync(node);
        await ShiftTimeAsync(TimeSpan.FromMinutes(61));

        var queued = await ClaimRunAsync(node);
        var waits = await StartAsync(queued);
        Assert.Equal((TaskStartDecision.Wait, TaskState.Created, null), (waits.Decision, waits.Task!.State, waits.Task.StartedAt));
        await FinishTaskAsync(queued, OutcomeKind.Snoozed, delay: TimeSpan.FromMinutes(30));
        await ShiftTimeAsync(Hour);

        var runs = await ClaimRunsAsync(node);
        var late = Assert.Single(runs, run => run.Held.Id != queued.Held.Id);
        var skipped = await StartAsync(late);
        Assert.Equal((TaskStartDecision.Skip, EndReasons.Overlap), (skipped.Decision, skipped.Reason));
        await FinishTaskAsync(late, OutcomeKind.Cancelled, reason: EndReasons.Overlap);
        var again = Assert.Single(runs, run => run.Held.Id == queued.Held.Id);
        Assert.Equal((TaskStartDecision.Wait, waits.Task.Id), ((await StartAsync(again)).Decision, (await StartAsync(again)).Task!.Id));

        await FinishTaskAsync(earlier);
        var started = await StartAsync(again);
        Assert.Equal(
            (TaskStartDecision.Recovered, waits.Task.Id, TaskState.Running), (started.Decision, started.Task!.Id, started.Task.State));
        Assert.NotEqual(first.DueAt, started.Task.DueAt);
        await FinishTaskAsync(again);
        Assert.Equal(2, (await Jobs.ListTasksAsync(job.Id, TaskState.Completed, 10, Cancellation)).Count);
    }

    [Theory]
    [InlineData(OverlapPolicy.QueueOne, MissedRunPolicy.RunOnce, 15)]
    [InlineData(OverlapPolicy.CancelPrevious, MissedRunPolicy.RunOnce, 1)]
    [InlineData(OverlapPolicy.Skip, MissedRunPolicy.RunAll, 15)]
    public async Task Run_that_waits_for_a_long_one_asks_seldom(OverlapPolicy overlap, MissedRunPolicy missedRuns, int firstWait)
    {
        var node = GivenNode();
        await GivenJobAsync(configure: definition => definition with { Overlap = overlap, MissedRuns = missedRuns });
        await GivenRunningTaskAsync(node);
        await ShiftTimeAsync(TimeSpan.FromHours(2.5));
        var run = await ClaimRunAsync(node);

        var waits = await StartAsync(run);
        var waitsAgain = await StartAsync(run);

        Assert.Equal((TaskStartDecision.Wait, TimeSpan.FromSeconds(firstWait)), (waits.Decision, waits.WaitFor));
        Assert.Equal((TaskStartDecision.Wait, TimeSpan.FromSeconds(15)), (waitsAgain.Decision, waitsAgain.WaitFor));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Queued_run_expires_at_its_start_deadline_unless_an_operator_puts_it_back(bool isEarlierUnfinished)
    {
        var node = GivenNode();
        await GivenJobAsync(configure: definition => definition with
        {
            Overlap = OverlapPolicy.QueueOne,
            ExpiresAfter = TimeSpan.FromMinutes(5),
        });
        var (earlier, _) = await GivenRunningTaskAsync(node);
        await ShiftTimeAsync(TimeSpan.FromMinutes(61));
        var queued = await ClaimRunAsync(node);
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(queued)).Decision);
        await ShiftTimeAsync(TimeSpan.FromMinutes(3));
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(queued)).Decision);
        await ShiftTimeAsync(TimeSpan.FromMinutes(2));
        if (!isEarlierUnfinished)
        {
            await FinishTaskAsync(earlier);
        }

        var expired = await StartAsync(queued);

        Assert.Equal((TaskStartDecision.Skip, EndReasons.Expired), (expired.Decision, expired.Reason));
        await FinishTaskAsync(queued, OutcomeKind.Cancelled, reason: EndReasons.Expired);
        if (isEarlierUnfinished)
        {
            await FinishTaskAsync(earlier);
        }

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(queued.Held.Id, RetryFrom.LastStep, Cancellation));
        var retried = await ClaimRunAsync(node);
        Assert.Equal(TaskStartDecision.Recovered, (await StartAsync(retried)).Decision);
        await FinishTaskAsync(retried);
    }

    [Fact]
    public async Task Queued_run_survives_the_death_of_the_node_that_asked_for_it()
    {
        var node = GivenNode();
        await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.QueueOne });
        var (earlier, _) = await GivenRunningTaskAsync(node);
        await ShiftTimeAsync(TimeSpan.FromMinutes(61));
        var other = GivenNode();
        var waits = await StartAsync(await ClaimRunAsync(other));

        await DieAndSweepAsync(other);
        await FinishTaskAsync(earlier);

        var run = await ClaimRunAsync(node);
        var start = await StartAsync(run);
        Assert.Equal((TaskStartDecision.Recovered, waits.Task!.Id), (start.Decision, start.Task!.Id));
        await FinishTaskAsync(run);
    }

    [Fact]
    public async Task New_run_cancels_the_previous_one_and_starts_after_it_has_ended()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.CancelPrevious });
        var (earlier, first) = await GivenRunningTaskAsync(node);
        await ShiftTimeAsync(TimeSpan.FromMinutes(61));

        var second = await ClaimRunAsync(node);
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(second)).Decision);
        Assert.True((await FindAsync(earlier.Held.Id)).CancelRequested);
        await FinishTaskAsync(second, OutcomeKind.Snoozed, delay: TimeSpan.FromMinutes(90));

        // The third takes the place of the second, which has not started.
        await ShiftTimeAsync(Hour);
        var third = await ClaimRunAsync(node);
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(third)).Decision);
        var replaced = await FindAsync(second.Held.Id);
        Assert.Equal((EntryState.Cancelled, EndReasons.Overlap), (replaced.State, replaced.Reason));

        await FinishTaskAsync(earlier, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested);
        var started = await StartAsync(third);
        Assert.Equal((TaskStartDecision.Recovered, TaskState.Running), (started.Decision, started.Task!.State));
        await FinishTaskAsync(third);
        Assert.Equal(TaskState.Cancelled, (await FindTaskAsync(first.Id)).State);
        Assert.Empty(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation));
    }

    [Fact]
    public async Task Run_by_hand_obeys_the_policy_unless_it_brings_its_own()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var (earlier, _) = await GivenRunningTaskAsync(node);
        await Jobs.TriggerAsync(job.Id, null, Cancellation);
        await Jobs.TriggerAsync(job.Id, OverlapPolicy.Allow, Cancellation);
        await Jobs.TriggerAsync(job.Id, OverlapPolicy.QueueOne, Cancellation);

        var runs = await ClaimRunsAsync(node);
        var decisions = new List<TaskStartDecision>();
        foreach (var run in runs)
        {
            decisions.Add((await StartAsync(run)).Decision);
        }

        Assert.Equal([TaskStartDecision.Skip, TaskStartDecision.Started, TaskStartDecision.Wait], decisions);
        Assert.Null((await Jobs.ListTasksAsync(job.Id, TaskState.Created, 10, Cancellation))[0].DueAt);
        await FinishTaskAsync(earlier);
    }

    [Fact]
    public async Task Retried_run_waits_for_a_run_that_is_under_way()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var (failed, first) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(failed, OutcomeKind.Failed);
        await Jobs.TriggerAsync(job.Id, null, Cancellation);
        var (later, _) = await GivenRunningTaskAsync(node);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(failed.Held.Id, RetryFrom.LastStep, Cancellation));
        var retried = await ClaimRunAsync(node);
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(retried)).Decision);
        Assert.Null((await FindTaskAsync(first.Id)).StartedAt);

        await FinishTaskAsync(later);
        Assert.Equal((TaskStartDecision.Recovered, first.Id), ((await StartAsync(retried)).Decision, (await FindTaskAsync(first.Id)).Id));
        await FinishTaskAsync(retried);
    }

    [Fact]
    public async Task Run_that_was_created_long_ago_asks_often_while_another_has_just_started()
    {
        var node = GivenNode();
        await GivenJobAsync();
        var (failed, _) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(failed, OutcomeKind.Failed);
        await ShiftTimeAsync(24 * Hour);
        var (later, _) = await GivenRunningTaskAsync(node);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(failed.Held.Id, RetryFrom.LastStep, Cancellation));
        var waits = await StartAsync(await ClaimRunAsync(node));

        Assert.Equal(TaskStartDecision.Wait, waits.Decision);
        Assert.InRange(waits.WaitFor!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        await FinishTaskAsync(later);
    }

    [Fact]
    public async Task Waiting_run_still_waits_when_the_policy_has_changed()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.QueueOne });
        var (earlier, _) = await GivenRunningTaskAsync(node);
        await Jobs.TriggerAsync(job.Id, null, Cancellation);
        var waiting = await ClaimRunAsync(node);
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(waiting)).Decision);

        await GivenJobAsync();

        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(waiting)).Decision);
        await FinishTaskAsync(earlier);
        Assert.Equal(TaskStartDecision.Recovered, (await StartAsync(waiting)).Decision);
        await FinishTaskAsync(waiting);
    }

    [Fact]
    public async Task Waiting_run_still_waits_when_the_clock_was_set_back()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.QueueOne });
        var (earlier, _) = await GivenRunningTaskAsync(node);
        await ShiftTimeAsync(-Hour / 2);
        await Jobs.TriggerAsync(job.Id, null, Cancellation);
        var waiting = await ClaimRunAsync(node);

        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(waiting)).Decision);
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(waiting)).Decision);

        await FinishTaskAsync(earlier);
        Assert.Equal(TaskStartDecision.Recovered, (await StartAsync(waiting)).Decision);
        await FinishTaskAsync(waiting);
    }

    [Fact]
    public async Task Runs_that_cancel_each_other_at_the_same_moment_leave_one()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.CancelPrevious });
        var (earlier, _) = await GivenRunningTaskAsync(node);
        for (var count = 0; count < 8; count++)
        {
            await Jobs.TriggerAsync(job.Id, null, Cancellation);
        }

        var runs = await ClaimRunsAsync(node);
        await Task.WhenAll(runs.Select(run => Task.Run(() => StartAsync(run), Cancellation)));
        await FinishTaskAsync(earlier, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested);
        foreach (var run in runs)
        {
            await FinishTaskAsync(run, OutcomeKind.Snoozed);
        }

        var last = await ClaimRunAsync(node);
        Assert.Equal(TaskStartDecision.Recovered, (await StartAsync(last)).Decision);
        await FinishTaskAsync(last);
    }

    [Fact]
    public async Task Backfilled_runs_run_one_after_the_other_for_each_due_time_without_a_task()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(node);
        Assert.False(task.IsCatchUp);
        await FinishTaskAsync(run);
        DateTimeOffset[] dues = [task.DueAt!.Value - (2 * Hour), task.DueAt.Value - Hour, task.DueAt.Value];

        Assert.Equal(2, await Jobs.BackfillAsync(job.Id, dues, Cancellation));
        Assert.Equal(0, await Jobs.BackfillAsync(Guid.NewGuid(), dues, Cancellation));
        var runs = await ClaimRunsAsync(node);
        var first = await StartAsync(runs[0]);
        Assert.Equal((TaskStartDecision.Started, dues[0], true), (first.Decision, first.Task!.DueAt, first.Task.IsCatchUp));
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(runs[1])).Decision);
        await FinishTaskAsync(runs[0]);
        Assert.Equal(dues[1], (await StartAsync(runs[1])).Task!.DueAt);
        await FinishTaskAsync(runs[1]);

        Assert.True((await FindTaskAsync(first.Task.Id)).IsCatchUp);
        Assert.Equal(0, await Jobs.BackfillAsync(job.Id, dues, Cancellation));
        Assert.Equal(task.DueAt.Value + Hour, (await FindJobAsync(job.Id)).NextRunAt);
        await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
        Assert.Equal(0, await Jobs.BackfillAsync(job.Id, [dues[0] - Hour], Cancellation));
    }

    [Fact]
    public async Task The_latest_missed_runs_are_made_up_for_up_to_the_limit()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { MissedRuns = MissedRunPolicy.RunAll, CatchUpLimit = 2 });
        await ShiftTimeAsync(TimeSpan.FromHours(5.5));
        var due = (await FindJobAsync(job.Id)).NextRunAt!.Value;

        var skipped = await ClaimRunAsync(node);
        Assert.Equal(EndReasons.Missed, (await StartAsync(skipped)).Reason);
        var tasks = new List<(DateTimeOffset?, bool)>();
        for (var round = 0; round < 2; round++)
        {
            var (run, task) = await GivenRunningTaskAsync(node);
            tasks.Add((task.DueAt, task.IsCatchUp));
            await FinishTaskAsync(run);
        }

        Assert.Equal([(due + (4 * Hour), true), (due + (5 * Hour), false)], tasks);
        Assert.Equal(due + (6 * Hour), (await FindJobAsync(job.Id)).NextRunAt);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Late_run_is_skipped_after_its_time(bool isMissed)
    {
        var job = await GivenJobAsync(configure: definition => isMissed
            ? definition with { CatchUpWithin = TimeSpan.FromMinutes(20) }
            : definition with { ExpiresAfter = TimeSpan.FromMinutes(20) });
        await ShiftTimeAsync(isMissed ? TimeSpan.FromHours(3.5) : Hour / 2);

        var start = await StartAsync(await ClaimRunAsync(GivenNode()));

        Assert.Equal((TaskStartDecision.Skip, isMissed ? EndReasons.Missed : EndReasons.Expired), (start.Decision, start.Reason));
        Assert.True((await FindJobAsync(job.Id)).NextRunAt > await Fixture.GetTimeAsync(Cancellation));
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Cron_run_plans_the_next_one_when_it_starts()
    {
        // Half an hour from now, so that no run is due while the test looks.
        var minute = (await Fixture.GetTimeAsync(Cancellation)).AddMinutes(30).Minute;
        var schedule = Schedule.Cron($"{minute} * * * *");
        var job = await GivenJobAsync(schedule);
        await ShiftTimeAsync(Hour);

        var (run, task) = await GivenRunningTaskAsync(GivenNode());

        Assert.Equal(job.NextRunAt!.Value - Hour, task.DueAt);
        var next = (await FindJobAsync(job.Id)).NextRunAt;
        Assert.Equal(schedule.NextAfter(await Fixture.GetTimeAsync(Cancellation)), next);
        Assert.Equal(next, Assert.Single(await WaitingRunsAsync()).RunAt);
        await FinishTaskAsync(run);
    }

    [Fact]
    public async Task Run_of_a_job_that_this_node_cannot_plan_waits_for_another_node()
    {
        var job = await GivenJobAsync(Schedule.Cron("0 * * * *"));
        await ShiftTimeAsync(Hour);
        await Fixture.SetJobAsync("report", "time_zone", "'Mars/Base'", Cancellation);
        var run = await ClaimRunAsync(GivenNode());

        var start = await StartAsync(run);

        Assert.Equal(TaskStartDecision.Wait, start.Decision);
        Assert.Contains("'Mars/Base'", start.Reason, StringComparison.Ordinal);
        Assert.Equal(job.NextRunAt!.Value - Hour, (await FindJobAsync(job.Id)).NextRunAt);
        Assert.Equal(EntryState.Running, await StateAsync(run.Held.Id));
    }
}
