using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests unfinished tasks: each runs again as the same task, or ends with a reason.</summary>
public abstract class TaskRecoveryTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    [Fact]
    public async Task The_task_of_a_dead_node_runs_again_as_the_same_task()
    {
        var job = await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(GivenNode());

        var report = await DieAndSweepAsync(run.Held.Node);
        var between = await FindTaskAsync(started.Id);
        var start = await StartAsync(await ClaimRunAsync(GivenNode("heir")));

        var item = Assert.Single(report.Items);
        Assert.Equal((RecoveryAction.Recovered, started.Id), (item.Action, item.TaskId!.Value));
        Assert.Equal((TaskState.Created, 1), (between.State, between.Crashes));
        Assert.Equal((TaskStartDecision.Recovered, started.Id, job.Id), (start.Decision, start.Task!.Id, start.Job!.Id));
        Assert.Equal((TaskState.Running, 1, 1, "heir"), (start.Task.State, start.Task.Attempt, start.Task.Crashes, start.Task.Node));
        Assert.Single(await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation));
    }

    [Fact]
    public async Task The_task_of_a_single_run_survives_a_crash_although_its_job_has_ended()
    {
        await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch));
        var (run, started) = await GivenRunningTaskAsync(GivenNode());
        await DieAndSweepAsync(run.Held.Node);

        var start = await StartAsync(await ClaimRunAsync(GivenNode()));

        Assert.Equal((TaskStartDecision.Recovered, started.Id), (start.Decision, start.Task!.Id));
    }

    [Fact]
    public async Task A_run_that_died_before_its_task_was_made_starts_afresh()
    {
        var job = await GivenJobAsync();
        var run = await ClaimRunAsync(GivenNode());
        await DieAndSweepAsync(run.Held.Node);

        var (_, task) = await GivenRunningTaskAsync(GivenNode());

        Assert.Equal(job.NextRunAt, task.DueAt);
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Finished_steps_of_a_task_are_there_when_it_is_recovered()
    {
        await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(GivenNode());
        var key = new ProgressKey(run.Held.Id, task.Id);
        Assert.True(await Store.SaveStepAsync(run.Held.Node.Id, key, run.Held.Fence, "one", Json("1"), Cancellation));
        await DieAndSweepAsync(run.Held.Node);
        var again = await ClaimRunAsync(GivenNode());
        await StartAsync(again);

        var progress = await Store.LoadProgressAsync(new ProgressKey(again.Held.Id, task.Id), Cancellation);

        SameJson("1", progress.Steps["one"]);
        Assert.False(await Store.SaveStepAsync(run.Held.Node.Id, key, run.Held.Fence, "two", Json("2"), Cancellation));
    }

    [Fact]
    public async Task A_task_in_a_crash_loop_fails_with_its_entry()
    {
        await GivenJobAsync();
        Guid? id = null;
        for (var crash = 0; crash < 2; crash++)
        {
            var run = await ClaimRunAsync(GivenNode());
            id = (await StartAsync(run)).Task!.Id;
            await DieAndSweepAsync(run.Held.Node, maxCrashes: 1);
        }

        var task = await FindTaskAsync(id!.Value);
        Assert.Equal((TaskState.Failed, EndReasons.CrashLoop), (task.State, task.Reason));
        Assert.NotNull(task.EndedAt);
    }

    [Fact]
    public async Task A_task_whose_cancel_was_requested_ends_at_the_sweep()
    {
        await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(GivenNode());
        await Store.CancelAsync(run.Held.Id, Cancellation);

        await DieAndSweepAsync(run.Held.Node);

        Assert.Equal(
            (TaskState.Cancelled, EndReasons.CancelRequested),
            ((await FindTaskAsync(started.Id)).State, (await FindTaskAsync(started.Id)).Reason));
    }

    [Fact]
    public async Task A_task_whose_claim_is_released_waits_as_created()
    {
        await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(GivenNode());

        await Store.ReleaseClaimsAsync(run.Held.Node.Id, [run.Held.Fence], Cancellation);

        Assert.Equal((TaskState.Created, 0), ((await FindTaskAsync(started.Id)).State, (await FindTaskAsync(started.Id)).Crashes));
    }

    [Fact]
    public async Task An_unfinished_task_without_an_entry_gets_one_and_runs_from_where_it_was()
    {
        var job = await GivenJobAsync();
        var (orphan, _) = await GivenOrphanAsync();

        var report = await RecoverAsync();
        var second = await RecoverAsync();
        var run = await ClaimRunAsync(GivenNode());
        var start = await StartAsync(run);

        var item = Assert.Single(report.Items);
        Assert.Equal((RecoveryAction.Recovered, orphan), (item.Action, item.TaskId!.Value));
        Assert.Empty(second.Items);
        Assert.Equal((job.Id, orphan), (run.JobId, run.TaskId!.Value));
        Assert.Equal((TaskStartDecision.Recovered, orphan, run.Held.Id), (start.Decision, start.Task!.Id, start.Task.EntryId));
        await FinishTaskAsync(run, result: "1");
        Assert.Equal(TaskState.Completed, (await FindTaskAsync(orphan)).State);
    }

    [Fact]
    public async Task Recoveries_at_once_make_one_entry()
    {
        await GivenJobAsync();
        var (orphan, _) = await GivenOrphanAsync();

        var reports = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(RecoverAsync, Cancellation)));

        Assert.Equal(orphan, Assert.Single(reports.SelectMany(report => report.Items)).TaskId);
        Assert.Equal(orphan, (await ClaimRunAsync(GivenNode())).TaskId);
    }

    [Fact]
    public async Task An_entry_that_is_no_longer_its_tasks_is_superseded()
    {
        await GivenJobAsync();
        var (orphan, _) = await GivenOrphanAsync();
        await RecoverAsync();
        await Fixture.DetachTaskAsync(orphan, Cancellation);
        await RecoverAsync();
        var node = GivenNode();
        var batch = await ClaimAsync(node, kinds: EntryKind);

        var runs = batch.Entries
            .Select(entry => new Run(new Held(node, entry.Id, batch.Fence), entry, ArgsOf(entry.Args).JobId, ArgsOf(entry.Args).TaskId))
            .OrderBy(run => run.Held.Id)
            .ToArray();
        var first = await StartAsync(runs[0]);
        var second = await StartAsync(runs[1]);

        Assert.All(runs, run => Assert.Equal(orphan, run.TaskId));
        Assert.Equal(TaskStartDecision.Superseded, first.Decision);
        Assert.Equal((TaskStartDecision.Recovered, orphan), (second.Decision, second.Task!.Id));
        await FinishTaskAsync(runs[0], OutcomeKind.Superseded, reason: EndReasons.Superseded);
        Assert.Equal(TaskState.Running, (await FindTaskAsync(orphan)).State);
    }

    [Fact]
    public async Task A_late_end_of_an_entry_does_not_touch_a_task_that_another_entry_has()
    {
        await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(GivenNode());
        await Fixture.DetachTaskAsync(task.Id, Cancellation);
        await RecoverAsync();

        await FinishTaskAsync(run, OutcomeKind.Failed, error: "late", reason: EndReasons.FailedForGood);

        var found = await FindTaskAsync(task.Id);
        Assert.Null(found.EndedAt);
        Assert.NotEqual(run.Held.Id, found.EntryId);
    }

    [Theory]
    [InlineData(OutcomeKind.Completed, TaskState.Completed)]
    [InlineData(OutcomeKind.Failed, TaskState.Failed)]
    [InlineData(OutcomeKind.Cancelled, TaskState.Cancelled)]
    public async Task An_unfinished_task_whose_entry_has_ended_ends_as_its_entry_did(OutcomeKind kind, TaskState state)
    {
        await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(GivenNode());
        await FinishAsync(
            run.Held, kind, error: kind == OutcomeKind.Completed ? null : "boom",
            reason: kind == OutcomeKind.Failed ? EndReasons.FailedForGood : null);

        var report = await RecoverAsync();

        Assert.Equal((RecoveryAction.Closed, started.Id), Assert.Single(report.Items.Select(item => (item.Action, item.TaskId!.Value))));
        var task = await FindTaskAsync(started.Id);
        Assert.Equal((state, kind == OutcomeKind.Completed ? null : "boom"), (task.State, task.Error));
        Assert.NotNull(task.EndedAt);
        Assert.Empty((await RecoverAsync()).Items);
    }

    [Fact]
    public async Task An_unfinished_task_without_an_entry_that_is_too_old_is_closed()
    {
        await GivenJobAsync();
        var (orphan, _) = await GivenOrphanAsync();
        await ShiftTimeAsync(TimeSpan.FromDays(8));

        var report = await RecoverAsync();

        Assert.Equal((RecoveryAction.Closed, orphan, EndReasons.TooOld), Assert.Single(
            report.Items.Select(item => (item.Action, item.TaskId!.Value, item.Reason))));
        var task = await FindTaskAsync(orphan);
        Assert.Equal(EndReasons.TooOld, task.Reason);
        Assert.Contains(task.State, new[] { TaskState.Failed, TaskState.Cancelled });
        Assert.NotNull(task.EndedAt);
    }

    [Fact]
    public async Task A_task_that_was_closed_without_an_entry_goes_when_its_time_is_over()
    {
        await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(GivenNode());
        var key = new ProgressKey(run.Held.Id, task.Id);
        await Store.SaveStepAsync(run.Held.Node.Id, key, run.Held.Fence, "one", Json("1"), Cancellation);
        await Store.SaveCheckpointAsync(run.Held.Node.Id, key, run.Held.Fence, Json("1"), Cancellation);
        await Fixture.DetachTaskAsync(task.Id, Cancellation);
        await FinishAsync(run.Held);
        await ShiftTimeAsync(TimeSpan.FromDays(8));
        await RecoverAsync();

        await PurgeAsync();
        var (kept, keptProgress) = (await FindTaskAsync(task.Id), await Store.LoadProgressAsync(key, Cancellation));
        await ShiftTimeAsync(TimeSpan.FromDays(8));
        await PurgeAsync();

        Assert.Equal(EndReasons.TooOld, kept.Reason);
        Assert.Equal("one", Assert.Single(keptProgress.Steps).Key);
        Assert.Null(await Jobs.FindTaskAsync(task.Id, Cancellation));
        var progress = await Store.LoadProgressAsync(key, Cancellation);
        Assert.Empty(progress.Steps);
        Assert.Null(progress.Checkpoint);
    }

    [Fact]
    public async Task An_old_task_that_has_its_entry_is_left_alone()
    {
        await GivenJobAsync();
        var (_, task) = await GivenRunningTaskAsync(GivenNode());
        await ShiftTimeAsync(TimeSpan.FromDays(8));

        Assert.Empty((await RecoverAsync()).Items);

        Assert.Equal(TaskState.Running, (await FindTaskAsync(task.Id)).State);
    }

    [Fact]
    public async Task Tasks_that_run_or_wait_are_left_alone_by_recovery()
    {
        var node = GivenNode();
        await GivenJobAsync();
        var (_, running) = await GivenRunningTaskAsync(node);
        await GivenJobAsync(name: "other");
        var (run, _) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run, OutcomeKind.Retried, error: "boom", delay: Hour);

        Assert.Empty((await RecoverAsync()).Items);

        Assert.Equal(TaskState.Running, (await FindTaskAsync(running.Id)).State);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task The_recovery_of_a_task_is_recorded_if_an_operator_requested_it(bool isByOperator, bool hasEntry)
    {
        AuditInfo? anna = isByOperator ? new("anna", "before the deployment") { Tool = "cli" } : null;
        await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(GivenNode());
        if (!hasEntry)
        {
            await Fixture.DetachTaskAsync(task.Id, Cancellation);
        }

        await FinishAsync(run.Held);

        var report = await Jobs.RecoverTasksAsync(Week, MaxCrashes, anna, Cancellation);
        var second = await Jobs.RecoverTasksAsync(Week, MaxCrashes, anna, Cancellation);

        Assert.Equal((1, 0), (report.Items.Count, second.Items.Count));
        var events = (await Monitor.ListEventsAsync(new EventQuery { Kinds = [QueueEventKind.WorkRecovered] }, Cancellation)).Events;
        Assert.Equal(isByOperator ? 1 : 0, events.Count);
        Assert.All(events, static happened => Assert.Equal(
            (1L, null, "anna", "before the deployment", "cli"),
            (happened.Entries!.Value, happened.Node, happened.Actor, happened.Reason, happened.Tool)));
    }

    private Task<RecoveryReport> RecoverAsync() => Jobs.RecoverTasksAsync(Week, MaxCrashes, Cancellation);

    /// <summary>Creates a task as left by the predecessor of this library: unfinished and without an entry.</summary>
    private async Task<(Guid Task, long Entry)> GivenOrphanAsync()
    {
        var (run, task) = await GivenRunningTaskAsync(GivenNode());
        await Fixture.DetachTaskAsync(task.Id, Cancellation);
        await FinishAsync(run.Held);
        return (task.Id, run.Held.Id);
    }
}
