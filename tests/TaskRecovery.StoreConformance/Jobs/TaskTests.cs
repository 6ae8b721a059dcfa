using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests tasks: one for each run, bound to its entry, ended together with it.</summary>
public abstract class TaskTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task A_new_run_makes_a_task_that_runs_under_its_entry()
    {
        var node = GivenNode("worker");
        var job = await GivenJobAsync();
        var run = await ClaimRunAsync(node);

        var start = await StartAsync(run);

        Assert.Equal((TaskStartDecision.Started, job.Id, null), (start.Decision, start.Job!.Id, start.Reason));
        SameJson("""{"a":1}""", start.Job.Args);
        var task = await FindTaskAsync(start.Task!.Id);
        Assert.Equal(start.Task, task);
        Assert.Equal(
            (job.Id, run.Held.Id, TaskState.Running, 1, 0, "worker"),
            (task.JobId, task.EntryId, task.State, task.Attempt, task.Crashes, task.Node));
        Assert.NotNull(task.StartedAt);
        Assert.Null(task.EndedAt);
    }

    [Fact]
    public async Task A_start_that_is_repeated_after_a_lost_answer_finds_its_task()
    {
        var job = await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(GivenNode());

        var again = await StartAsync(run);

        Assert.Contains(again.Decision, new[] { TaskStartDecision.Started, TaskStartDecision.Recovered });
        Assert.Equal(task.Id, again.Task!.Id);
        Assert.Single(await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation));
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Starts_of_one_entry_at_once_make_one_task()
    {
        var job = await GivenJobAsync();
        var run = await ClaimRunAsync(GivenNode());

        var starts = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => StartAsync(run), Cancellation)));

        Assert.Single(starts.Select(start => start.Task!.Id).Distinct());
        Assert.Single(await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation));
        Assert.Single(await WaitingRunsAsync());
    }

    [Theory]
    [InlineData(OutcomeKind.Completed, null, TaskState.Completed)]
    [InlineData(OutcomeKind.Failed, EndReasons.FailedForGood, TaskState.Failed)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.CancelledByWorker, TaskState.Cancelled)]
    public async Task A_task_ends_with_its_entry(OutcomeKind kind, string? reason, TaskState state)
    {
        await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(GivenNode());

        await FinishTaskAsync(
            run, kind, result: kind == OutcomeKind.Completed ? "7" : null, error: reason is null ? null : "boom", reason: reason);

        var task = await FindTaskAsync(started.Id);
        Assert.Equal((state, reason, reason is null ? null : "boom"), (task.State, task.Reason, task.Error));
        SameJson(kind == OutcomeKind.Completed ? "7" : "null", task.Result);
        Assert.NotNull(task.EndedAt);
        Assert.Empty(await Jobs.ListIncompleteTasksAsync(task.JobId, Cancellation));
    }

    [Fact]
    public async Task A_flush_of_runs_that_is_repeated_in_part_ends_the_other_tasks()
    {
        var node = GivenNode();
        await GivenJobAsync(name: "first");
        await GivenJobAsync(name: "second");
        var runs = await ClaimRunsAsync(node);
        var started = new List<Guid>();
        foreach (var run in runs)
        {
            started.Add((await StartAsync(run)).Task!.Id);
        }

        await FinishTaskAsync(runs[0], result: "1");

        await FinishAsync(node, [.. runs.Select(static run => run.Held.Outcome(result: "2", isTask: true))]);

        Assert.Equal(2, started.Count);
        SameJson("1", (await FindTaskAsync(started[0])).Result);
        SameJson("2", (await FindTaskAsync(started[1])).Result);
        Assert.Empty(await Jobs.ListIncompleteTasksAsync(runs[1].JobId, Cancellation));
    }

    [Fact]
    public async Task A_task_ends_in_its_workers_transaction()
    {
        await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(GivenNode());
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        await Store.FinishInTransactionAsync(run.Held.Node.Id, run.Held.Outcome(result: "7", isTask: true), transaction, Cancellation);
        await transaction.CommitAsync(Cancellation);

        var task = await FindTaskAsync(started.Id);
        Assert.Equal(TaskState.Completed, task.State);
        SameJson("7", task.Result);
    }

    [Fact]
    public async Task A_retried_task_runs_again_as_the_same_task()
    {
        var node = GivenNode();
        await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(node);

        await FinishTaskAsync(run, OutcomeKind.Retried, error: "boom");
        var between = await FindTaskAsync(started.Id);
        var start = await StartAsync(await ClaimRunAsync(node));

        Assert.Equal((TaskState.Created, 1, "boom"), (between.State, between.Attempt, between.Error));
        Assert.Equal((TaskStartDecision.Recovered, started.Id), (start.Decision, start.Task!.Id));
        Assert.Equal((TaskState.Running, 2), (start.Task.State, start.Task.Attempt));
    }

    [Theory]
    [InlineData(OutcomeKind.Snoozed)]
    [InlineData(OutcomeKind.Released)]
    public async Task A_task_that_is_put_off_waits_as_created(OutcomeKind kind)
    {
        var node = GivenNode();
        await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(node);

        await FinishTaskAsync(run, kind);
        var between = await FindTaskAsync(started.Id);
        var start = await StartAsync(await ClaimRunAsync(node));

        Assert.Equal((TaskState.Created, 0), (between.State, between.Crashes));
        Assert.Equal((TaskStartDecision.Recovered, started.Id, 1), (start.Decision, start.Task!.Id, start.Task.Attempt));
    }

    [Fact]
    public async Task A_task_is_cancelled_with_its_waiting_entry()
    {
        var node = GivenNode();
        await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run, OutcomeKind.Retried, error: "boom", delay: Hour);

        Assert.True(await Store.CancelAsync(run.Held.Id, Cancellation));

        var task = await FindTaskAsync(started.Id);
        Assert.Equal((TaskState.Cancelled, EndReasons.CancelRequested), (task.State, task.Reason));
        Assert.NotNull(task.EndedAt);
    }

    [Fact]
    public async Task A_retry_with_a_cancel_stored_ends_the_task_too()
    {
        await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(GivenNode());
        await Store.CancelAsync(run.Held.Id, Cancellation);

        await FinishTaskAsync(run, OutcomeKind.Retried, error: "boom");

        Assert.Equal(
            (TaskState.Cancelled, EndReasons.CancelRequested),
            ((await FindTaskAsync(started.Id)).State, (await FindTaskAsync(started.Id)).Reason));
    }

    [Fact]
    public async Task A_start_under_a_lost_claim_is_refused()
    {
        var job = await GivenJobAsync();
        var stale = await ClaimRunAsync(GivenNode());
        await DieAndSweepAsync(stale.Held.Node);

        var start = await StartAsync(stale);

        Assert.Equal(TaskStartDecision.ClaimLost, start.Decision);
        Assert.Empty(await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation));
    }

    [Fact]
    public async Task An_operators_retry_of_a_failed_run_takes_its_task_along()
    {
        var node = GivenNode();
        await GivenJobAsync();
        var (run, started) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run, OutcomeKind.Failed, error: "boom", reason: EndReasons.FailedForGood);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(run.Held.Id, RetryFrom.LastStep, Cancellation));
        var between = await FindTaskAsync(started.Id);
        var start = await StartAsync(await ClaimRunAsync(node));

        Assert.Equal((TaskState.Created, null), (between.State, between.EndedAt));
        Assert.Equal((TaskStartDecision.Recovered, started.Id, TaskState.Running), (start.Decision, start.Task!.Id, start.Task.State));
    }

    [Fact]
    public async Task Tasks_are_listed_by_job_and_state_newest_first()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.Allow });
        var other = await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch.AddDays(365 * 400)), name: "other");
        var ids = new List<Guid>();
        for (var round = 0; round < 4; round++)
        {
            var (run, task) = await GivenRunningTaskAsync(node);
            ids.Add(task.Id);
            if (round % 2 == 0)
            {
                await FinishTaskAsync(run);
            }

            await ShiftTimeAsync(TimeSpan.FromMinutes(61));
        }

        Assert.Equal(ids.AsEnumerable().Reverse(), await ListAsync(job.Id, null, 10));
        Assert.Equal([ids[3], ids[2]], await ListAsync(null, null, 2));
        Assert.Equal([ids[2], ids[0]], await ListAsync(job.Id, TaskState.Completed, 10));
        Assert.Equal([ids[3], ids[1]], await ListAsync(null, TaskState.Running, 10));
        Assert.Empty(await ListAsync(other.Id, null, 10));
        Assert.Equal([ids[1], ids[3]], (await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation)).Select(task => task.Id));
    }

    [Fact]
    public async Task An_unknown_task_is_not_there()
        => Assert.Null(await Jobs.FindTaskAsync(Guid.NewGuid(), Cancellation));

    private async Task<IEnumerable<Guid>> ListAsync(Guid? jobId, TaskState? state, int limit)
        => (await Jobs.ListTasksAsync(jobId, state, limit, Cancellation)).Select(task => task.Id);

    [Fact]
    public async Task Erasing_an_entry_erases_what_the_task_that_it_runs_has_stored()
    {
        var node = GivenNode();
        await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch));
        var (run, task) = await GivenRunningTaskAsync(node);
        var key = new ProgressKey(run.Held.Id, task.Id);
        await Store.SaveStepAsync(node.Id, key, run.Held.Fence, "step", Json("\"Ann\""), Cancellation);
        await Store.SaveCheckpointAsync(node.Id, key, run.Held.Fence, Json("\"Ann\""), Cancellation);

        Assert.Equal(1, await Store.EraseAsync(EraseTarget.Entry(run.Held.Id), Cancellation));

        var found = await FindTaskAsync(task.Id);
        Assert.Equal((TaskState.Cancelled, EndReasons.Erased, null, null), (found.State, found.Reason, found.Result, found.Error));
        var progress = await Store.LoadProgressAsync(key, Cancellation);
        Assert.Empty(progress.Steps);
        Assert.Null(progress.Checkpoint);
        Assert.Equal(TaskStartDecision.ClaimLost, (await StartAsync(run)).Decision);
        Assert.Single(await TryFinishAsync(node, run.Held.Outcome(result: "\"Ann\"", isTask: true)));
        Assert.Null((await FindTaskAsync(task.Id)).Result);
    }

    [Fact]
    public async Task Erasing_the_entry_of_an_ended_task_leaves_its_state()
    {
        var node = GivenNode();
        await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch));
        var (run, task) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run, OutcomeKind.Failed, error: "Ann", reason: EndReasons.FailedForGood);

        await Store.EraseAsync(EraseTarget.Entry(run.Held.Id), Cancellation);

        var found = await FindTaskAsync(task.Id);
        Assert.Equal((TaskState.Failed, null, null), (found.State, found.Result, found.Error));
    }
}
