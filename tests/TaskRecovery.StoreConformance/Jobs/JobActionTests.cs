using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>What an operator does to a job is recorded with who did it and why.</summary>
public abstract class JobActionTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    private static readonly AuditInfo Anna = new("anna", "month end") { Tool = "cli" };

    [Fact]
    public async Task Each_action_on_a_job_is_recorded()
    {
        var job = await GivenJobAsync();

        await Jobs.PauseAsync(job.Id, new PauseInfo { Reason = "month end", Actor = "anna" }, Anna, Cancellation);
        await Jobs.ResumeAsync(job.Id, Anna, Cancellation);
        var entry = await Jobs.TriggerAsync(job.Id, null, Anna, Cancellation);
        var now = await Fixture.GetTimeAsync(Cancellation);
        await Jobs.BackfillAsync(job.Id, [now - TimeSpan.FromHours(2), now - TimeSpan.FromHours(1)], Anna, Cancellation);
        await Jobs.DeleteAsync(job.Id, Anna, Cancellation);

        var events = await EventsAsync();
        Assert.Equal(
            [QueueEventKind.JobDeleted, QueueEventKind.JobBackfilled,
                QueueEventKind.JobTriggered, QueueEventKind.Resumed, QueueEventKind.Paused],
            events.Select(happened => happened.Kind));
        Assert.All(events, happened => Assert.Equal(
            ($"job {job.Name}", "anna", "month end", "cli"), (happened.Subject, happened.Actor, happened.Reason, happened.Tool)));
        Assert.Equal((2, entry), (events[1].Entries, events[2].EntryId));
    }

    [Fact]
    public async Task What_changed_nothing_is_not_recorded()
    {
        var job = await GivenJobAsync();

        await Jobs.ResumeAsync(job.Id, Anna, Cancellation);
        await Jobs.PauseAsync(Guid.NewGuid(), new PauseInfo(), Anna, Cancellation);
        await Jobs.DeleteAsync(Guid.NewGuid(), Anna, Cancellation);
        await Jobs.TriggerAsync(Guid.NewGuid(), null, Anna, Cancellation);
        await Jobs.BackfillAsync(Guid.NewGuid(), [await Fixture.GetTimeAsync(Cancellation)], Anna, Cancellation);

        Assert.Empty(await EventsAsync());
    }

    [Fact]
    public async Task A_job_that_has_ended_is_not_paused_and_no_pause_is_recorded()
    {
        var job = await GivenJobAsync(Schedule.Once(await Fixture.GetTimeAsync(Cancellation) + Hour));
        Assert.True(await Store.CancelAsync(Assert.Single(await WaitingRunsAsync()).Id, Cancellation));

        // Its only run was cancelled: the pause finds that it has ended.
        Assert.False(await Jobs.PauseAsync(job.Id, new PauseInfo(), Anna, Cancellation));
        Assert.Equal(JobState.Ended, (await FindJobAsync(job.Id)).State);
        Assert.False(await Jobs.PauseAsync(job.Id, new PauseInfo(), Anna, Cancellation));

        Assert.Equal(QueueEventKind.EntryCancelled, Assert.Single(await EventsAsync()).Kind);
    }

    [Fact]
    public async Task Missed_runs_that_are_not_made_up_for_are_recorded_with_their_number()
    {
        var job = await GivenJobAsync(configure: definition => definition with
        {
            MissedRuns = MissedRunPolicy.RunAll,
            CatchUpLimit = 3,
        });
        await ShiftTimeAsync(10.5 * Hour);

        var run = await ClaimRunAsync(GivenNode());
        var start = await StartAsync(run);
        Assert.Equal((TaskStartDecision.Skip, EndReasons.Missed, 8), (start.Decision, start.Reason, start.Dropped));
        Assert.Equal(0, (await StartAsync(run)).Dropped);

        var dropped = Assert.Single(await EventsAsync(), static happened => happened.Kind != QueueEventKind.NodeJoined);
        Assert.Equal(
            (QueueEventKind.RunsDropped, $"job {job.Name}", 8L, null, null),
            (dropped.Kind, dropped.Subject, dropped.Entries, dropped.Actor, dropped.Detail));
    }

    [Fact]
    public async Task Undoing_a_retry_ends_the_task_as_it_had_ended()
    {
        var node = GivenNode();
        await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run, OutcomeKind.Failed, error: "boom", reason: EndReasons.AttemptsExhausted);
        var before = await FindTaskAsync(task.Id);
        var retry = await Operations.PrepareAsync(
            new NewOperation { Action = BulkAction.Retry, EntryIds = [run.Held.Id], Expected = new Count(1) }, Anna, Cancellation);
        await Operations.StartAsync(retry.Id, Anna, TimeSpan.FromMinutes(10), Cancellation);
        await Operations.StepAsync(retry.Id, Cancellation);
        Assert.Equal(TaskState.Created, (await FindTaskAsync(task.Id)).State);

        var undo = (await Operations.UndoAsync(retry.Id, Anna, Cancellation)).Operation!;
        var last = (await Operations.StepAsync(undo.Id, Cancellation)).Operation!;

        var after = await FindTaskAsync(task.Id);
        Assert.Equal((OperationState.Ended, 1L), (last.State, last.Done));
        Assert.Equal(
            (TaskState.Failed, before.Attempt, before.Crashes, "boom", EndReasons.AttemptsExhausted, before.EndedAt),
            (after.State, after.Attempt, after.Crashes, after.Error, after.Reason, after.EndedAt));
        Assert.NotNull(after.StartedAt);
    }

    [Fact]
    public async Task A_pause_that_replaces_another_one_is_recorded_with_both_and_is_resumed_once()
    {
        var job = await GivenJobAsync();
        var until = new DateTimeOffset(2099, 1, 1, 6, 0, 0, TimeSpan.Zero);
        var early = await Jobs.ResumeAsync(job.Id, Anna, Cancellation);
        await Jobs.PauseAsync(job.Id, new PauseInfo { Actor = "anna", Reason = "provider down", Until = until }, Anna, Cancellation);
        await Jobs.PauseAsync(job.Id, new PauseInfo { Actor = "ben", Until = until.AddHours(2) }, Anna, Cancellation);

        var first = await Jobs.ResumeAsync(job.Id, Anna, Cancellation);
        var second = await Jobs.ResumeAsync(job.Id, Anna, Cancellation);

        Assert.Equal((OperatorResult.NotPaused, OperatorResult.Done, OperatorResult.NotPaused), (early, first, second));
        Assert.Equal(
            [
                (QueueEventKind.Resumed, null),
                (QueueEventKind.Paused, "until 2099-01-01 08:00:00Z; replaces a pause by anna until 2099-01-01 06:00:00Z: provider down"),
                (QueueEventKind.Paused, "until 2099-01-01 06:00:00Z"),
            ],
            (await EventsAsync()).Select(static happened => (happened.Kind, happened.Detail)));
    }

    [Fact]
    public async Task A_pause_that_would_be_over_at_once_is_refused()
    {
        var job = await GivenJobAsync();
        var until = await Fixture.GetTimeAsync(Cancellation) - TimeSpan.FromSeconds(1);

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => Jobs.PauseAsync(job.Id, new PauseInfo { Until = until }, Anna, Cancellation));

        var after = await FindJobAsync(job.Id);
        Assert.Equal((JobState.Active, job.NextRunAt), (after.State, after.NextRunAt));
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task A_pause_that_ends_by_itself_is_recorded_without_an_actor()
    {
        var job = await GivenJobAsync();
        var until = await Fixture.GetTimeAsync(Cancellation) + TimeSpan.FromHours(1);
        await Jobs.PauseAsync(job.Id, new PauseInfo { Until = until }, Anna, Cancellation);
        await ShiftTimeAsync(TimeSpan.FromHours(2));

        await Jobs.RecoverJobsAsync(Cancellation);
        await Jobs.RecoverJobsAsync(Cancellation);

        var resumed = (await EventsAsync())[0];
        Assert.Equal((QueueEventKind.Resumed, $"job {job.Name}", null), (resumed.Kind, resumed.Subject, resumed.Actor));
        Assert.Equal(2, (await EventsAsync()).Count);
    }

    private async Task<IReadOnlyList<QueueEvent>> EventsAsync() => (await Monitor.ListEventsAsync(new EventQuery(), Cancellation)).Events;
}
