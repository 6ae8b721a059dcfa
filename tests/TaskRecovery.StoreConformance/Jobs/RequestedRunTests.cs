using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests runs that were requested, and whose request was confirmed: they run, also if their job ends or is paused
/// before.</summary>
public abstract class RequestedRunTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    private static readonly AuditInfo Anna = new("anna");

    [Fact]
    public async Task Run_by_hand_of_a_single_run_job_runs_although_the_job_has_ended()
    {
        var job = await GivenJobAsync(Schedule.Once(await Fixture.GetTimeAsync(Cancellation)));
        Assert.NotNull(await Jobs.TriggerAsync(job.Id, OverlapPolicy.Allow, Cancellation));

        var runs = await ClaimRunsAsync(GivenNode());
        var decisions = new List<TaskStartDecision>();
        foreach (var run in runs)
        {
            decisions.Add((await StartAsync(run)).Decision);
        }

        Assert.Equal([TaskStartDecision.Started, TaskStartDecision.Started], decisions);
        Assert.Equal(JobState.Ended, (await FindJobAsync(job.Id)).State);
        Assert.Null(await Jobs.TriggerAsync(job.Id, null, Cancellation));
    }

    [Fact]
    public async Task Backfilled_runs_of_a_job_that_ends_meanwhile_run()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = now + Hour });
        var hour = new DateTimeOffset(now.UtcDateTime.Date.AddHours(now.UtcDateTime.Hour), TimeSpan.Zero);
        Assert.Equal(2, await Jobs.BackfillAsync(job.Id, [hour - (3 * Hour), hour - (2 * Hour)], Cancellation));

        var ended = await GivenJobAsync(configure: definition => definition with { StartAt = now + Hour, EndAt = now });
        Assert.Equal(JobState.Ended, ended.State);

        var node = GivenNode();
        var runs = await ClaimRunsAsync(node);
        Assert.Equal(2, runs.Count);
        foreach (var run in runs)
        {
            var start = await StartAsync(run);
            Assert.Equal((TaskStartDecision.Started, run.DueAt, true), (start.Decision, start.Task!.DueAt, start.Task.IsCatchUp));
            await FinishTaskAsync(run);
        }

        Assert.Equal((JobState.Ended, null), ((await FindJobAsync(job.Id)).State, (await FindJobAsync(job.Id)).NextRunAt));
        Assert.Equal(0, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);
    }

    [Fact]
    public async Task Many_backfilled_runs_wait_the_longer_the_more_are_before_them()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = now + Hour });
        DateTimeOffset[] dues = [.. Enumerable.Range(0, 50).Select(number => now - ((60 - number) * Hour))];
        Assert.Equal(50, await Jobs.BackfillAsync(job.Id, dues, Cancellation));
        var runs = (await ClaimRunsAsync(GivenNode())).OrderBy(static run => run.DueAt).ToList();
        Assert.Equal(TaskStartDecision.Started, (await StartAsync(runs[0])).Decision);

        var waits = new List<TimeSpan>();
        foreach (var run in runs.Skip(1))
        {
            var start = await StartAsync(run);
            Assert.Equal(TaskStartDecision.Wait, start.Decision);
            waits.Add(start.WaitFor!.Value);
        }

        Assert.InRange(waits[0], TimeSpan.FromMilliseconds(250), TimeSpan.FromMinutes(1));
        Assert.InRange(waits[48], TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(15));
        Assert.Equal(waits.Order(), waits);

        // The end of the first one makes the second the next.
        await FinishTaskAsync(runs[0]);
        Assert.Equal(TaskStartDecision.Started, (await StartAsync(runs[1])).Decision);
        Assert.InRange((await StartAsync(runs[2])).WaitFor!.Value, TimeSpan.FromMilliseconds(250), TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Single_run_whose_cancellation_is_undone_runs_at_its_time(bool isJobEnded)
    {
        var at = (await Fixture.GetTimeAsync(Cancellation)).AddMinutes(90);
        var job = await GivenJobAsync(Schedule.Once(at));
        var cancelled = await CancelAllAsync();
        await RecoverIfAsync(isJobEnded, job.Id);

        await UndoAsync(cancelled);

        Assert.Equal(0, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);
        Assert.Empty(await ClaimRunsAsync(GivenNode()));
        await ShiftTimeAsync(2 * Hour);
        var (run, task) = await GivenRunningTaskAsync(GivenNode());

        // The shift does not change the arguments of the entry, from which a run that is put back has its due time.
        Assert.Equal(isJobEnded ? job.NextRunAt : job.NextRunAt - (2 * Hour), task.DueAt);
        await FinishTaskAsync(run);
        Assert.Equal(JobState.Ended, (await FindJobAsync(job.Id)).State);
        Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Single_run_that_is_retried_after_it_was_cancelled_runs(bool isJobEnded)
    {
        var job = await GivenJobAsync(Schedule.Once((await Fixture.GetTimeAsync(Cancellation)).AddMinutes(90)));
        var entry = Assert.Single(await WaitingRunsAsync()).Id;
        Assert.True(await Store.CancelAsync(entry, Cancellation));
        await RecoverIfAsync(isJobEnded, job.Id);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(entry, RetryFrom.LastStep, Cancellation));

        await FinishTaskAsync((await GivenRunningTaskAsync(GivenNode())).Run);
        Assert.Equal(JobState.Ended, (await FindJobAsync(job.Id)).State);
    }

    [Fact]
    public async Task Last_run_before_the_end_of_a_job_is_put_back_and_runs()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = now + Hour, EndAt = now + (1.5 * Hour) });
        var cancelled = await CancelAllAsync();
        await RecoverIfAsync(true, job.Id);

        await UndoAsync(cancelled);

        await ShiftTimeAsync(2 * Hour);
        await FinishTaskAsync((await GivenRunningTaskAsync(GivenNode())).Run);
        Assert.Equal((JobState.Ended, null), ((await FindJobAsync(job.Id)).State, (await FindJobAsync(job.Id)).NextRunAt));
    }

    [Fact]
    public async Task Run_that_is_put_back_does_not_replace_a_later_plan()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = now + Hour });
        var cancelled = await CancelAllAsync();
        Assert.Equal(1, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);

        await UndoAsync(cancelled);

        Assert.Equal(job.NextRunAt + Hour, (await FindJobAsync(job.Id)).NextRunAt);
        var waiting = (await WaitingRunsAsync()).Select(static run => (DateTimeOffset?)run.RunAt);
        Assert.Equal([job.NextRunAt, job.NextRunAt + Hour], waiting.Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_that_is_put_back_after_the_next_was_planned_has_its_due_time_unless_that_has_run(bool hasRun)
    {
        var start = await Fixture.GetTimeAsync(Cancellation) + Hour;
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = start });
        var entry = Assert.Single(await WaitingRunsAsync()).Id;
        Assert.True(await Store.CancelAsync(entry, Cancellation));
        Assert.Equal(1, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);
        if (hasRun)
        {
            Assert.Equal(1, await Jobs.BackfillAsync(job.Id, [job.NextRunAt!.Value], Cancellation));
            await FinishTaskAsync((await GivenRunningTaskAsync(GivenNode())).Run);
        }

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(entry, RetryFrom.LastStep, Cancellation));
        var run = await ClaimRunAsync(GivenNode());
        var answer = await StartAsync(run);

        Assert.Equal(entry, run.Entry.Id);
        Assert.Equal(hasRun ? TaskStartDecision.Skip : TaskStartDecision.Started, answer.Decision);
        Assert.Equal(hasRun ? EndReasons.TaskFinished : null, answer.Reason);
        Assert.Equal(job.NextRunAt, Assert.Single(await Jobs.ListTasksAsync(job.Id, null, 10, Cancellation)).DueAt);
        Assert.NotEqual(true, answer.Task?.IsCatchUp);
        Assert.Equal(0, await Jobs.BackfillAsync(job.Id, [job.NextRunAt!.Value], Cancellation));
        Assert.Equal(job.NextRunAt + Hour, (await FindJobAsync(job.Id)).NextRunAt);
    }

    private async Task RecoverIfAsync(bool recovers, Guid jobId)
    {
        if (recovers)
        {
            Assert.Equal(0, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);
            Assert.Equal(JobState.Ended, (await FindJobAsync(jobId)).State);
        }
    }

    private async Task<long> CancelAllAsync()
    {
        var prepared = await Operations.PrepareAsync(
            new NewOperation
            {
                Action = BulkAction.Cancel,
                Query = new EntryQuery { States = [EntryState.Waiting] },
                Expected = new Count(1),
            },
            Anna, Cancellation);
        await Operations.StartAsync(prepared.Id, Anna, Hour, Cancellation);
        await RunToEndAsync(prepared.Id);
        Assert.Empty(await WaitingRunsAsync());
        return prepared.Id;
    }

    private async Task UndoAsync(long operation)
    {
        var undo = (await Operations.UndoAsync(operation, Anna, Cancellation)).Operation!;
        var last = await RunToEndAsync(undo.Id);
        Assert.Equal((last.Expected.Value, 0L), (last.Done, last.Refused));
    }

    private async Task<BulkOperation> RunToEndAsync(long operation)
    {
        var step = await Operations.StepAsync(operation, Cancellation);
        while (step.Operation!.State == OperationState.Running)
        {
            step = await Operations.StepAsync(operation, Cancellation);
        }

        return step.Operation;
    }
}
