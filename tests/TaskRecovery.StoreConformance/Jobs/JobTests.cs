using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests jobs: names are unique, and the next run is planned exactly once.</summary>
public abstract class JobTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task A_new_job_is_found_as_it_was_defined()
    {
        var before = await Fixture.GetTimeAsync(Cancellation);
        var created = await GivenJobAsync(Schedule.Every(TimeSpan.FromMinutes(90)), definition => definition with
        {
            Overlap = OverlapPolicy.Allow,
            MissedRuns = MissedRunPolicy.Skip,
            Queue = "reports",
            Priority = 2,
            Timeout = TimeSpan.FromMinutes(3),
        });

        var found = await FindJobAsync(created.Id);

        Assert.Equal(created with { Args = "" }, found with { Args = "" });
        Assert.Equal(found with { Args = "" }, (await Jobs.FindByNameAsync("report", Cancellation))! with { Args = "" });
        Assert.Equal(("report", "report", JobState.Active), (found.Name, found.Kind, found.State));
        SameJson("""{"a":1}""", found.Args);
        Assert.Equal(Schedule.Every(TimeSpan.FromMinutes(90)), found.Schedule);
        Assert.Equal((OverlapPolicy.Allow, MissedRunPolicy.Skip), (found.Overlap, found.MissedRuns));
        Assert.Equal(("reports", 2, 10, TimeSpan.FromMinutes(3)), (found.Queue, found.Priority, found.MaxAttempts, found.Timeout!.Value));
        Assert.InRange(found.CreatedAt, before.AddSeconds(-1), before.AddMinutes(5));
        Assert.InRange(found.NextRunAt!.Value, before.AddSeconds(-1), before.AddMinutes(5));
    }

    [Fact]
    public async Task A_new_jobs_first_run_is_planned()
    {
        var job = await GivenJobAsync(configure: definition => definition with { Priority = 3 });

        var run = await ClaimRunAsync(GivenNode());

        Assert.Equal((job.Id, null), (run.JobId, run.TaskId));
        Assert.Equal((3, 10), (run.Entry.Priority, run.Entry.MaxAttempts));
    }

    [Fact]
    public async Task A_first_run_can_be_put_off()
    {
        var at = (await Fixture.GetTimeAsync(Cancellation)).AddHours(5);

        var job = await GivenJobAsync(configure: definition => definition with { StartAt = at });

        Assert.InRange(job.NextRunAt!.Value, at.AddMilliseconds(-1), at.AddMilliseconds(1));
        Assert.Equal(job.NextRunAt, Assert.Single(await WaitingRunsAsync()).RunAt);
        Assert.Empty((await ClaimAsync(GivenNode(), kinds: EntryKind)).Entries);
    }

    [Fact]
    public async Task Creating_it_again_with_the_same_definition_changes_nothing()
    {
        var at = (await Fixture.GetTimeAsync(Cancellation)).AddHours(5);
        var first = await GivenJobAsync(configure: definition => definition with { StartAt = at });
        var planned = Assert.Single(await WaitingRunsAsync());

        var second = await GivenJobAsync(configure: definition => definition with { StartAt = at });

        Assert.Equal(first with { Args = "" }, second with { Args = "" });
        Assert.Equal(planned.Id, Assert.Single(await WaitingRunsAsync()).Id);
    }

    [Fact]
    public async Task Creating_it_again_after_it_has_run_does_not_run_it_again()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var (run, _) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run);
        var next = (await FindJobAsync(job.Id)).NextRunAt;

        var again = await GivenJobAsync();

        Assert.Equal((job.Id, next), (again.Id, again.NextRunAt));
        Assert.Single(await WaitingRunsAsync());
        Assert.Empty((await ClaimAsync(node, kinds: EntryKind)).Entries);
    }

    [Fact]
    public async Task Many_nodes_that_declare_a_job_at_once_make_one()
    {
        var jobs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => GivenJobAsync(), Cancellation)));

        Assert.Single(jobs.Select(job => job.Id).Distinct());
        Assert.Single(await WaitingRunsAsync());
        Assert.Single(await Jobs.ListAsync(Cancellation));
    }

    [Fact]
    public async Task A_changed_definition_is_stored_and_plans_one_run()
    {
        var node = GivenNode();
        var first = await GivenJobAsync();
        var (run, _) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run);

        var changed = await Jobs.UpsertAsync(
            NewJob(
                schedule: Schedule.Every(TimeSpan.FromMinutes(10)), configure:
                definition => definition with { Queue = "other", Priority = 1 }, args: """{"a":2}"""),
            Cancellation);

        Assert.Equal(first.Id, changed.Id);
        Assert.Equal((Schedule.Every(TimeSpan.FromMinutes(10)), "other", 1), (changed.Schedule, changed.Queue, changed.Priority));
        SameJson("""{"a":2}""", changed.Args);
        var planned = Assert.Single(await WaitingRunsAsync());
        Assert.Equal(("other", 1, changed.NextRunAt), (planned.Queue, planned.Priority, planned.RunAt));
        Assert.True(changed.NextRunAt <= (await Fixture.GetTimeAsync(Cancellation)).AddMinutes(10));
    }

    [Fact]
    public async Task Jobs_are_listed_by_name()
    {
        foreach (var name in new[] { "b", "c", "a" })
        {
            await GivenJobAsync(name: name);
        }

        Assert.Equal<IEnumerable<string>>(["a", "b", "c"], (await Jobs.ListAsync(Cancellation)).Select(job => job.Name));
    }

    [Fact]
    public async Task Jobs_are_listed_page_by_page()
    {
        foreach (var name in new[] { "b", "ä", "a", "B", "c" })
        {
            await GivenJobAsync(name: name);
        }

        List<string> pages = [];
        string? after = null;
        do
        {
            var page = await Jobs.ListAsync(new JobQuery { After = after, Limit = 2 }, Cancellation);
            pages.Add(string.Join(' ', page.Jobs.Select(job => job.Name)));
            after = page.NextAfter;
        }
        while (after is not null);

        Assert.Equal<IEnumerable<string>>(["B a", "b c", "ä"], pages);
        Assert.Null((await Jobs.ListAsync(new JobQuery { Limit = 5 }, Cancellation)).NextAfter);
    }

    [Fact]
    public async Task An_unknown_job_is_not_there()
    {
        var unknown = Guid.NewGuid();

        Assert.Null(await Jobs.FindAsync(unknown, Cancellation));
        Assert.Null(await Jobs.FindByNameAsync("unknown", Cancellation));
        Assert.False(await Jobs.PauseAsync(unknown, new PauseInfo(), Cancellation));
        Assert.False(await Jobs.DeleteAsync(unknown, Cancellation));
        Assert.Null(await Jobs.TriggerAsync(unknown, null, Cancellation));
    }

    [Fact]
    public async Task A_paused_job_runs_nothing_and_a_resumed_one_its_next_due_time()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();

        Assert.True(await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation));
        var paused = await FindJobAsync(job.Id);
        var batch = await ClaimAsync(node, kinds: EntryKind);
        foreach (var entry in batch.Entries)
        {
            var run = new Run(new Held(node, entry.Id, batch.Fence), entry, job.Id, null);
            var start = await StartAsync(run);
            Assert.Equal((TaskStartDecision.Skip, EndReasons.JobNotActive), (start.Decision, start.Reason));
            await FinishAsync(run.Held, OutcomeKind.Cancelled, reason: start.Reason);
        }

        Assert.Null(await Jobs.TriggerAsync(job.Id, null, Cancellation));
        Assert.True(await Jobs.ResumeAsync(job.Id, Cancellation));

        var resumed = await FindJobAsync(job.Id);
        Assert.Equal((JobState.Paused, JobState.Active), (paused.State, resumed.State));
        Assert.NotNull(resumed.NextRunAt);
        Assert.Single(await WaitingRunsAsync());
        Assert.Empty(await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation));
    }

    [Fact]
    public async Task Pausing_and_resuming_twice_plans_one_run()
    {
        var job = await GivenJobAsync();
        for (var round = 0; round < 3; round++)
        {
            Assert.True(await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation));
            Assert.True(await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation));
            Assert.True(await Jobs.ResumeAsync(job.Id, Cancellation));
            Assert.True(await Jobs.ResumeAsync(job.Id, Cancellation));
        }

        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task A_deleted_job_is_gone_and_its_tasks_are_asked_to_stop()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(node);

        Assert.True(await Jobs.DeleteAsync(job.Id, Cancellation));
        Assert.False(await Jobs.DeleteAsync(job.Id, Cancellation));

        Assert.Null(await Jobs.FindAsync(job.Id, Cancellation));
        Assert.Empty(await WaitingRunsAsync());
        Assert.True((await FindAsync(run.Held.Id)).CancelRequested);
        await FinishTaskAsync(run, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested);
        Assert.Equal(TaskState.Cancelled, (await FindTaskAsync(task.Id)).State);
        Assert.Equal(0, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);
    }

    [Fact]
    public async Task A_run_of_a_deleted_job_is_skipped()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var run = await ClaimRunAsync(node);
        await Jobs.DeleteAsync(job.Id, Cancellation);

        var start = await StartAsync(run);

        Assert.Equal((TaskStartDecision.Skip, EndReasons.JobDeleted), (start.Decision, start.Reason));
        await FinishAsync(run.Held, OutcomeKind.Cancelled, reason: start.Reason);
    }

    [Fact]
    public async Task A_triggered_run_goes_beside_the_schedule()
    {
        var node = GivenNode();
        var at = (await Fixture.GetTimeAsync(Cancellation)).AddHours(5);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = at });

        var entry = await Jobs.TriggerAsync(job.Id, null, Cancellation);
        var (run, task) = await GivenRunningTaskAsync(node);

        Assert.Equal(entry, run.Held.Id);
        Assert.Equal((job.Id, null), (task.JobId, task.DueAt));
        Assert.Equal(job.NextRunAt, (await FindJobAsync(job.Id)).NextRunAt);
        Assert.Equal(job.NextRunAt, Assert.Single(await WaitingRunsAsync()).RunAt);
    }

    [Fact]
    public async Task A_job_whose_planned_run_is_gone_has_one_planned_again()
    {
        var job = await GivenJobAsync();
        await GivenJobAsync(name: "other");
        var planned = (await WaitingRunsAsync())[0];
        await Store.CancelAsync(planned.Id, Cancellation);

        var first = (await Jobs.RecoverJobsAsync(Cancellation)).Planned;
        var second = (await Jobs.RecoverJobsAsync(Cancellation)).Planned;

        Assert.Equal((1, 0), (first, second));
        Assert.Equal(2, (await WaitingRunsAsync()).Count);
        Assert.NotNull((await FindJobAsync(job.Id)).NextRunAt);
    }

    [Fact]
    public async Task Many_nodes_that_recover_jobs_at_once_plan_one_run()
    {
        await GivenJobAsync();
        await Store.CancelAsync(Assert.Single(await WaitingRunsAsync()).Id, Cancellation);

        var recovered = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(_ => Task.Run(() => Jobs.RecoverJobsAsync(Cancellation), Cancellation)));

        Assert.Equal(1, recovered.Sum(recovery => recovery.Planned));
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Paused_and_ended_jobs_have_nothing_planned_by_recovery()
    {
        var node = GivenNode();
        var once = await GivenJobAsync(Schedule.Once(DateTimeOffset.UnixEpoch), name: "once");
        var (run, _) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run);
        var paused = await GivenJobAsync(name: "paused");
        await Jobs.PauseAsync(paused.Id, new PauseInfo(), Cancellation);
        foreach (var entry in await WaitingRunsAsync())
        {
            await Store.CancelAsync(entry.Id, Cancellation);
        }

        Assert.Equal(0, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);

        Assert.Equal(JobState.Ended, (await FindJobAsync(once.Id)).State);
        Assert.Empty(await WaitingRunsAsync());
    }
}
