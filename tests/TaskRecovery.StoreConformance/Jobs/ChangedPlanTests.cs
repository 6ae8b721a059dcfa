using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests jobs that are changed, paused or deleted while their planned run is claimed or has just ended: the latest plan runs
/// exactly once, and an older plan never runs.</summary>
public abstract class ChangedPlanTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task Single_run_that_takes_the_place_of_an_interval_while_its_run_is_claimed_happens()
    {
        var job = await GivenJobAsync();
        var old = await ClaimRunAsync(GivenNode());
        var at = (await Fixture.GetTimeAsync(Cancellation)).AddMinutes(30);

        await GivenJobAsync(Schedule.Once(at));
        var start = await StartAsync(old);
        await FinishTaskAsync(old, OutcomeKind.Superseded, reason: start.Reason);

        Assert.Equal((TaskStartDecision.Superseded, EndReasons.Superseded), (start.Decision, start.Reason));
        Assert.Empty((await ClaimAsync(GivenNode(), kinds: EntryKind)).Entries);
        await ShiftTimeAsync(Hour);
        var (run, _) = await GivenRunningTaskAsync(GivenNode());
        await FinishTaskAsync(run);
        Assert.Equal(JobState.Ended, (await FindJobAsync(job.Id)).State);
        Assert.Single(await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation));
    }

    [Fact]
    public async Task Single_run_that_is_put_off_while_it_is_claimed_runs_once_and_then()
    {
        var job = await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch));
        var old = await ClaimRunAsync(GivenNode());

        await GivenJobAsync(Schedule.Once((await Fixture.GetTimeAsync(Cancellation)).AddMinutes(30)));
        await FinishTaskAsync(old, OutcomeKind.Snoozed, error: "no answer");

        Assert.Empty((await ClaimAsync(GivenNode(), kinds: EntryKind)).Entries);
        await ShiftTimeAsync(Hour);
        await FinishTaskAsync((await GivenRunningTaskAsync(GivenNode())).Run);
        Assert.Single(await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation));
        Assert.Empty(await WaitingRunsAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Single_run_that_is_paused_and_resumed_while_it_is_claimed_runs_once(bool startsWhilePaused)
    {
        var job = await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch));
        var old = await ClaimRunAsync(GivenNode());

        await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
        var start = startsWhilePaused ? await StartAsync(old) : null;
        await Jobs.ResumeAsync(job.Id, Cancellation);
        start ??= await StartAsync(old);
        await FinishTaskAsync(old, OutcomeKind.Cancelled, reason: start.Reason);

        Assert.Equal((TaskStartDecision.Skip, EndReasons.JobNotActive), (start.Decision, start.Reason));
        await FinishTaskAsync((await GivenRunningTaskAsync(GivenNode())).Run);
        Assert.Single(await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation));
        Assert.Empty(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Run_of_a_job_that_was_paused_and_resumed_meanwhile_does_not_start_beside_the_next_when_its_node_dies()
    {
        var job = await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch));
        var old = await ClaimRunAsync(GivenNode());
        await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
        await Jobs.ResumeAsync(job.Id, Cancellation);

        await DieAndSweepAsync(old.Held.Node);

        var planned = Assert.Single(await WaitingRunsAsync());
        Assert.NotEqual(old.Held.Id, planned.Id);
    }

    [Fact]
    public async Task Single_run_that_is_over_does_not_happen_again_when_its_start_is_removed()
    {
        var schedule = Schedule.Once(DateTimeOffset.UnixEpoch);
        await GivenJobAsync(schedule, static definition => definition with { StartAt = DateTimeOffset.UnixEpoch.AddDays(1) });
        await FinishTaskAsync((await GivenRunningTaskAsync(GivenNode())).Run);

        var changed = await GivenJobAsync(schedule);

        Assert.Equal((JobState.Ended, null), (changed.State, changed.StartAt));
        Assert.Empty(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Later_start_counts_from_the_run_after_the_one_that_is_claimed()
    {
        var job = await GivenJobAsync();
        var run = await ClaimRunAsync(GivenNode());
        var at = (await Fixture.GetTimeAsync(Cancellation)).AddHours(5.5);

        var changed = await GivenJobAsync(configure: definition => definition with { StartAt = at });
        var start = await StartAsync(run);

        Assert.Equal(job.NextRunAt, changed.NextRunAt);
        Assert.Equal((TaskStartDecision.Started, job.NextRunAt), (start.Decision, start.Task!.DueAt));
        Assert.InRange(start.Job!.NextRunAt!.Value, at.AddMilliseconds(-1), at.AddMilliseconds(1));
        Assert.Equal(start.Job.NextRunAt, Assert.Single(await WaitingRunsAsync()).RunAt);
    }

    [Fact]
    public async Task Start_that_is_computed_anew_at_each_start_of_the_process_never_postpones_the_planned_run()
    {
        var first = await GivenJobAsync(configure: definition => definition with { StartAt = DateTimeOffset.UtcNow.AddMinutes(4) });

        for (var restart = 1; restart < 4; restart++)
        {
            var later = DateTimeOffset.UtcNow.AddMinutes(4 + restart);
            Assert.Equal(first.NextRunAt, (await GivenJobAsync(configure: definition => definition with { StartAt = later })).NextRunAt);
        }

        Assert.Equal(first.NextRunAt, Assert.Single(await WaitingRunsAsync()).RunAt);
    }

    [Fact]
    public async Task Earlier_start_brings_the_planned_run_forward()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        await GivenJobAsync(configure: definition => definition with { StartAt = now.AddHours(5) });

        var changed = await GivenJobAsync(configure: definition => definition with { StartAt = now.AddHours(2) });

        Assert.InRange(changed.NextRunAt!.Value, now.AddHours(2).AddMilliseconds(-1), now.AddHours(2).AddMilliseconds(1));
        Assert.Equal(changed.NextRunAt, Assert.Single(await WaitingRunsAsync()).RunAt);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_that_is_removed_no_longer_puts_off_the_planned_run(bool isCron)
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var schedule = isCron ? Schedule.Cron("* * * * *") : Schedule.Every(Hour);
        var first = await GivenJobAsync(schedule, definition => definition with { StartAt = now.AddHours(5) });
        Assert.True(first.NextRunAt >= now.AddHours(5).AddMilliseconds(-1));

        var changed = await GivenJobAsync(schedule);

        Assert.Null(changed.StartAt);
        Assert.InRange(changed.NextRunAt!.Value, now.AddMinutes(-1), now.AddMinutes(10));
        Assert.InRange(Assert.Single(await WaitingRunsAsync()).RunAt!.Value, now.AddMinutes(-1), now.AddMinutes(10));
    }

    [Fact]
    public async Task Job_whose_planned_run_was_cancelled_and_that_becomes_a_single_run_has_it()
    {
        var job = await GivenJobAsync();
        await Store.CancelAsync(Assert.Single(await WaitingRunsAsync()).Id, Cancellation);

        await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch));
        Assert.Equal(0, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);

        await FinishTaskAsync((await GivenRunningTaskAsync(GivenNode())).Run);
        Assert.Equal(JobState.Ended, (await FindJobAsync(job.Id)).State);
    }

    [Fact]
    public async Task Single_run_that_was_cancelled_is_not_brought_back_by_a_pause()
    {
        var job = await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch));
        await Store.CancelAsync(Assert.Single(await WaitingRunsAsync()).Id, Cancellation);

        await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
        await Jobs.ResumeAsync(job.Id, Cancellation);

        Assert.Equal(JobState.Ended, (await FindJobAsync(job.Id)).State);
        Assert.Empty(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Run_that_is_claimed_in_a_queue_that_its_job_has_left_runs_in_the_new_one()
    {
        var job = await GivenJobAsync();
        var old = await ClaimRunAsync(GivenNode());

        await GivenJobAsync(configure: definition => definition with { Queue = "other" });

        Assert.Equal(TaskStartDecision.Superseded, (await StartAsync(old)).Decision);
        var start = await StartAsync(await ClaimRunAsync(GivenNode(), "other"));
        Assert.Equal((TaskStartDecision.Started, job.NextRunAt), (start.Decision, start.Task!.DueAt));
    }

    [Fact]
    public async Task Changes_and_starts_at_once_run_the_latest_plan_alone()
    {
        for (var round = 0; round < 10; round++)
        {
            var name = $"report {round}";
            var job = await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch), name: name);
            var node = GivenNode();
            var run = await ClaimRunAsync(node);

            var starting = Task.Run(() => StartAsync(run), Cancellation);
            await Task.WhenAll(
                starting, Task.Run(() => GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch.AddDays(1)), name: name), Cancellation));

            // If the start came first, the new time is another run. If the change came first, the old run does not start.
            var hasStarted = (await starting).Decision == TaskStartDecision.Started;
            await FinishTaskAsync(run, hasStarted ? OutcomeKind.Completed : OutcomeKind.Superseded);
            await FinishTaskAsync((await GivenRunningTaskAsync(node)).Run);
            Assert.Equal(hasStarted ? 2 : 1, (await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation)).Count);
            Assert.Empty(await WaitingRunsAsync());
        }
    }

    [Fact]
    public async Task Run_by_hand_of_a_job_that_has_another_kind_by_now_does_not_reach_the_old_handler()
    {
        var node = GivenNode();
        var far = (await Fixture.GetTimeAsync(Cancellation)).AddHours(5);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = far });
        await Jobs.TriggerAsync(job.Id, null, Cancellation);
        var run = await ClaimRunAsync(node);

        await Jobs.UpsertAsync(
            NewJob(configure: definition => definition with { StartAt = far }, args: """{"b":2}""", kind: "digest"), Cancellation);
        var start = await StartAsync(run);
        await FinishTaskAsync(run, OutcomeKind.Superseded, reason: start.Reason);

        Assert.Equal((TaskStartDecision.Superseded, EndReasons.Superseded), (start.Decision, start.Reason));
        Assert.Empty(await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation));
    }

    [Fact]
    public async Task Task_of_a_job_that_has_another_kind_by_now_ends_as_superseded()
    {
        var node = GivenNode();
        await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run, OutcomeKind.Retried, error: "boom");
        await Jobs.UpsertAsync(NewJob(args: """{"b":2}""", kind: "digest"), Cancellation);
        var again = await ClaimRunAsync(node);

        var start = await StartAsync(again);
        await FinishTaskAsync(again, OutcomeKind.Cancelled, reason: start.Reason);

        Assert.Equal((TaskStartDecision.Skip, EndReasons.Superseded), (start.Decision, start.Reason));
        var ended = await FindTaskAsync(task.Id);
        Assert.Equal((TaskState.Cancelled, EndReasons.Superseded), (ended.State, ended.Reason));
    }

    [Fact]
    public async Task Process_without_the_handler_keeps_the_attempts_of_a_job()
    {
        var handler = NewJob() with { MaxAttempts = 3, DeclaredBy = "shop", DeclaredAs = "one:3" };
        var other = NewJob() with { KeepsMaxAttempts = true, DeclaredBy = "web", DeclaredAs = "one" };
        var first = await Jobs.UpsertAsync(handler, Cancellation);

        foreach (var declared in new[] { other, handler, other with { DeclaredAs = "two" }, handler with { DeclaredAs = "two:3" }, other })
        {
            var again = await Jobs.UpsertAsync(declared, Cancellation);
            Assert.Equal((3, first.UpdatedAt, declared.DeclaredBy), (again.MaxAttempts, again.UpdatedAt, again.DeclaredBy));
        }

        Assert.Equal("one", Assert.Single(await Jobs.ListDeclaredAsync("web", Cancellation)).DeclaredAs);
        Assert.Equal(10, (await Jobs.UpsertAsync(other with { Definition = new("new", Schedule.Every(Hour)) }, Cancellation)).MaxAttempts);
    }

    [Fact]
    public async Task Job_remembers_which_application_declares_it()
    {
        await Jobs.UpsertAsync(NewJob("a") with { DeclaredBy = "shop" }, Cancellation);
        await Jobs.UpsertAsync(NewJob("b") with { DeclaredBy = "shop" }, Cancellation);
        await Jobs.UpsertAsync(NewJob("c") with { DeclaredBy = "mail" }, Cancellation);
        await GivenJobAsync(name: "d");

        var again = await GivenJobAsync(name: "a");

        Assert.Equal("shop", again.DeclaredBy);
        Assert.Null((await Jobs.FindByNameAsync("d", Cancellation))!.DeclaredBy);
        Assert.Equal(["a", "b"], (await Jobs.ListDeclaredAsync("shop", Cancellation)).Select(job => job.Name));
    }

    [Fact]
    public async Task Declared_job_is_listed_with_its_digest_and_whether_it_is_an_orphan()
    {
        await Jobs.UpsertAsync(NewJob("a") with { DeclaredBy = "shop", DeclaredAs = "digest" }, Cancellation);
        await Jobs.UpsertAsync(NewJob("b") with { DeclaredBy = "shop" }, Cancellation);
        await Jobs.SetOrphanedAsync("shop", ["b"], Cancellation);

        Assert.Equal(
            [new DeclaredJob("a", "digest", false), new DeclaredJob("b", null, true)], await Jobs.ListDeclaredAsync("shop", Cancellation));
    }
}
