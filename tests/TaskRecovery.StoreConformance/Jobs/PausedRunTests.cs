using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests requested runs of a paused job: they wait without a claim, and are due at once when the pause ends, however it
/// ends.</summary>
public abstract class PausedRunTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>How the pause of a job ends.</summary>
    public enum End
    {
        Resumed,
        ResumedAfterTheEndOfTheJob,
        TimeIsOver,
        ChangedToHaveEnded,
        ChangedToHaveEndedInAnotherQueue,
        Deleted,
        ResumedByAnOlderLibrary,
    }

    [Theory]
    [InlineData(End.Resumed)]
    [InlineData(End.ResumedAfterTheEndOfTheJob)]
    [InlineData(End.TimeIsOver)]
    [InlineData(End.ChangedToHaveEnded)]
    [InlineData(End.ChangedToHaveEndedInAnotherQueue)]
    [InlineData(End.Deleted)]
    [InlineData(End.ResumedByAnOlderLibrary)]
    public async Task Runs_that_wait_are_due_at_once_when_the_pause_ends(End end)
    {
        var node = GivenNode();
        var job = await GivenPausedJobAsync(end == End.TimeIsOver ? Hour : null, endsAfter: 3 * Hour);
        await GivenPausedJobAsync(null, name: "other");
        var runs = await WaitAsync(node);
        Assert.Equal(3, runs.Count);
        Assert.Empty(await ClaimRunsAsync(node));

        using var listening = new CancellationTokenSource();
        var heard = await ListenAsync(listening.Token);
        await EndAsync(job, end);

        var due = await ClaimRunsAsync(node);
        var expected = runs.Where(run => run.JobId == job.Id).Select(static run => run.Entry.Id);
        Assert.Equal(expected.Order(), due.Select(static run => run.Entry.Id).Order());
        foreach (var run in due)
        {
            var start = await StartAsync(run);
            Assert.Equal(end == End.Deleted ? TaskStartDecision.Skip : TaskStartDecision.Started, start.Decision);
            await FinishTaskAsync(run, end == End.Deleted ? OutcomeKind.Cancelled : OutcomeKind.Completed, reason: start.Reason);
        }

        await heard.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        await listening.CancelAsync();
        Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));
    }

    [Fact]
    public async Task Run_asks_once_for_a_pause_and_its_node_may_ask_and_report_again()
    {
        var node = GivenNode();
        var job = await GivenPausedJobAsync(null);
        var run = Assert.Single(await ClaimRunsAsync(node), static run => run.DueAt is null);

        var starts = new[] { await StartAsync(run), await StartAsync(run) };
        await FinishTaskAsync(run, OutcomeKind.Released, reason: EndReasons.NotStarted);
        await FinishTaskAsync(run, OutcomeKind.Snoozed, delay: Hour);

        Assert.All(starts, static start => Assert.Equal((TaskStartDecision.Wait, null), (start.Decision, start.Task)));
        var life = (await Fixture.Monitor.GetLifeAsync(run.Entry.Id, null, Cancellation))!;
        var asked = Assert.Single(life.Runs);
        Assert.Equal((EntryRunEnd.Snoozed, EndReasons.JobNotActive, 0), (asked.End, asked.Reason, asked.Attempt));
        Assert.Equal(EntryState.Waiting, life.Entry.State);
        Assert.InRange(life.Entry.RunAt!.Value - asked.EndedAt, Day - TimeSpan.FromSeconds(1), Day + TimeSpan.FromSeconds(1));

        // After a long pause, too.
        await ShiftTimeAsync(Day);
        run = Assert.Single(await ClaimRunsAsync(node), static run => run.DueAt is null);
        Assert.Equal(Day, (await StartAsync(run)).WaitFor);
        await Jobs.ResumeAsync(job.Id, Cancellation);
        Assert.Contains(await ClaimRunsAsync(node), again => again.Entry.Id == run.Entry.Id);
    }

    [Fact]
    public async Task Run_waits_until_a_pause_ends_by_itself()
    {
        var job = await GivenPausedJobAsync(2 * Hour);

        var runs = await WaitAsync(GivenNode());

        Assert.Equal(2, runs.Count);
        var until = (await FindJobAsync(job.Id)).Pause!.Until!.Value;
        Assert.All(
            await WaitingRunsAsync(), run => Assert.InRange(run.RunAt!.Value - until, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Run_whose_cancellation_is_requested_does_not_wait()
    {
        await GivenPausedJobAsync(null);
        var run = (await ClaimRunsAsync(GivenNode()))[0];
        Assert.True(await Store.CancelAsync(run.Entry.Id, Cancellation));

        var (start, again) = (await StartAsync(run), await StartAsync(run));
        await FinishTaskAsync(run, OutcomeKind.Snoozed);

        Assert.Equal((TaskStartDecision.Wait, TaskStartDecision.Wait), (start.Decision, again.Decision));
        var entry = await FindAsync(run.Entry.Id);
        Assert.Equal((EntryState.Cancelled, EndReasons.CancelRequested), (entry.State, entry.Reason));
    }

    [Fact]
    public async Task Run_that_an_operator_has_given_another_time_keeps_it()
    {
        var node = GivenNode();
        var job = await GivenPausedJobAsync(null);
        var runs = await WaitAsync(node);
        var at = await Fixture.GetTimeAsync(Cancellation) + (5 * Hour);
        Assert.True(await Store.CancelAsync(runs[0].Entry.Id, Cancellation));
        Assert.Equal(
            OperatorResult.Done,
            await Store.RetryAsync(runs[0].Entry.Id, new RetryOptions { RunAt = at }, new AuditInfo("anna"), Cancellation));

        await Jobs.ResumeAsync(job.Id, Cancellation);

        Assert.Equal(runs[1].Entry.Id, (await ClaimRunAsync(node)).Entry.Id);
        Assert.InRange((await FindAsync(runs[0].Entry.Id)).RunAt!.Value - at, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Runs_that_an_older_library_has_put_back_again_are_due_when_the_pause_ends()
    {
        var node = GivenNode();
        var job = await GivenPausedJobAsync(null);
        var runs = await WaitAsync(node);
        await ShiftTimeAsync(Day);

        // It stores the outcome by itself, and no time in the table of paused runs.
        var again = await ClaimRunsAsync(node);
        Assert.Equal(runs.Count, again.Count);
        foreach (var run in again)
        {
            await FinishTaskAsync(run, OutcomeKind.Snoozed, reason: EndReasons.JobNotActive, delay: Hour);
        }

        Assert.Empty(await ClaimRunsAsync(node));
        Assert.True(await Jobs.ResumeAsync(job.Id, Cancellation));

        var due = (await ClaimRunsAsync(node)).Select(static run => run.Entry.Id);
        Assert.Superset(runs.Select(static run => run.Entry.Id).ToHashSet(), due.ToHashSet());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Undo_of_a_cancellation_lets_runs_wait_only_if_the_pause_is_not_over(bool isOver)
    {
        var node = GivenNode();
        var job = await GivenPausedJobAsync(null);
        long[] ids = [.. (await WaitAsync(node)).Select(static run => run.Entry.Id).Order()];
        var anna = new AuditInfo("anna");
        var cancellation = await Operations.PrepareAsync(
            new NewOperation { Action = BulkAction.Cancel, EntryIds = ids, Expected = new Count(ids.Length) }, anna, Cancellation);
        await Operations.StartAsync(cancellation.Id, anna, Hour, Cancellation);
        await Operations.StepAsync(cancellation.Id, Cancellation);
        Assert.Equal(EntryState.Cancelled, await StateAsync(ids[0]));
        if (isOver)
        {
            Assert.True(await Jobs.ResumeAsync(job.Id, Cancellation));
        }

        var undo = await Operations.UndoAsync(cancellation.Id, anna, Cancellation);
        var step = await Operations.StepAsync(undo.Operation!.Id, Cancellation);

        Assert.Equal(ids.Length, step.Operation!.Done);
        if (!isOver)
        {
            Assert.Empty(await ClaimRunsAsync(node));
            Assert.True(await Jobs.ResumeAsync(job.Id, Cancellation));
        }

        Assert.Equal(ids, (await ClaimRunsAsync(node)).Select(static run => run.Entry.Id).Order());
    }

    [Fact]
    public async Task Runs_that_start_while_their_job_is_resumed_never_wait_for_the_next_pause()
    {
        var node = GivenNode();
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = now + Hour, Overlap = OverlapPolicy.Allow });
        DateTimeOffset[] dues = [.. Enumerable.Range(1, 40).Select(number => now - (number * Hour))];
        Assert.Equal(40, await Jobs.BackfillAsync(job.Id, dues, Cancellation));
        await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
        var runs = await ClaimRunsAsync(node);
        Assert.Equal(40, runs.Count);

        var starting = runs.ConvertAll(run => Task.Run(() => StartAsync(run), Cancellation));
        await Task.WhenAny(starting);
        await Jobs.ResumeAsync(job.Id, Cancellation);
        var starts = await Task.WhenAll(starting);

        var waiting = starts.Count(static start => start.Decision == TaskStartDecision.Wait);
        Assert.Equal(waiting, (await ClaimRunsAsync(node)).Count);
    }

    private async Task<Job> GivenPausedJobAsync(TimeSpan? length, string name = "report", TimeSpan? endsAfter = null)
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(
            configure: definition => definition with { StartAt = now + (2 * Hour), EndAt = now + endsAfter, Overlap = OverlapPolicy.Allow },
            name: name);
        Assert.NotNull(await Jobs.TriggerAsync(job.Id, null, Cancellation));
        if (name == "report")
        {
            Assert.Equal(1, await Jobs.BackfillAsync(job.Id, [now - Hour], Cancellation));
        }

        await Jobs.PauseAsync(job.Id, new PauseInfo { Until = now + length }, Cancellation);
        return job;
    }

    /// <summary>Lets all runs that are due ask, and wait.</summary>
    private async Task<List<Run>> WaitAsync(TestNode node)
    {
        var runs = await ClaimRunsAsync(node);
        var starts = await Task.WhenAll(runs.Select(run => Task.Run(() => StartAsync(run), Cancellation)));
        Assert.All(starts, static start => Assert.Equal((TaskStartDecision.Wait, null), (start.Decision, start.Task)));
        foreach (var run in runs)
        {
            await FinishTaskAsync(run, OutcomeKind.Snoozed);
        }

        return runs;
    }

    private async Task EndAsync(Job job, End end)
    {
        switch (end)
        {
            case End.Resumed:
                Assert.True(await Jobs.ResumeAsync(job.Id, Cancellation));
                break;
            case End.ResumedAfterTheEndOfTheJob:
                await ShiftTimeAsync(4 * Hour);
                Assert.True(await Jobs.ResumeAsync(job.Id, Cancellation));
                Assert.Equal(JobState.Ended, (await FindJobAsync(job.Id)).State);
                break;
            case End.TimeIsOver:
                await ShiftTimeAsync(Hour - TimeSpan.FromMinutes(10));
                Assert.Empty(await ClaimRunsAsync(GivenNode()));
                await ShiftTimeAsync(TimeSpan.FromMinutes(11));
                await Jobs.RecoverJobsAsync(Cancellation);
                break;
            case End.ChangedToHaveEnded or End.ChangedToHaveEndedInAnotherQueue:
                var now = await Fixture.GetTimeAsync(Cancellation);
                // The runs stay in the queue in which they were stored, so that the hint must name that one.
                var queue = end == End.ChangedToHaveEnded ? null : "new";
                var ended = await GivenJobAsync(
                    configure: definition => definition with { StartAt = now + Hour, EndAt = now - Hour, Queue = queue });
                Assert.Equal(JobState.Ended, ended.State);
                break;
            case End.Deleted:
                Assert.True(await Jobs.DeleteAsync(job.Id, Cancellation));
                break;
            case End.ResumedByAnOlderLibrary:
                await Fixture.SetJobAsync(job.Name, "state", "0", Cancellation);
                await Jobs.RecoverJobsAsync(Cancellation);
                break;
        }
    }

    // Completes at the first hint after the call.
    private async Task<Task> ListenAsync(CancellationToken cancellationToken)
    {
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Store.ListenAsync(
            hint =>
            {
                if (!connected.TrySetResult() && hint is { Kind: StoreHintKind.Work, Queue: DefaultQueue })
                {
                    heard.TrySetResult();
                }
            },
            cancellationToken);
        await connected.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        return heard.Task;
    }
}
