using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests runs that do not start: they are skipped permanently, even if the answer is lost.</summary>
public abstract class SkippedRunTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    /// <summary>The reasons for which a new run is skipped.</summary>
    public static TheoryData<string, bool> Reasons { get; } = new()
    {
        { EndReasons.Missed, true },
        { EndReasons.Overlap, true },
        { EndReasons.Overlap, false },
        { EndReasons.TaskFinished, true },
        { EndReasons.JobNotActive, true },
    };

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task A_skipped_run_does_not_run_later_when_the_answer_was_lost(string reason, bool isPlanned)
    {
        var (run, settle) = await GivenToBeSkippedAsync(reason, isPlanned);
        await StartAsync(run);

        // A worker does this if its start request got no answer.
        await FinishTaskAsync(run, OutcomeKind.Snoozed, error: "no answer");
        await settle();

        await ThenItNeverRunsAsync(run, reason);
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task A_skipped_run_does_not_run_later_when_its_node_dies_before_it_has_said_so(string reason, bool isPlanned)
    {
        var (run, settle) = await GivenToBeSkippedAsync(reason, isPlanned);
        await StartAsync(run);

        var report = await DieAndSweepAsync(run.Held.Node);
        await settle();

        Assert.DoesNotContain(run.Held.Id, report.Items.Select(item => item.EntryId));
        await ThenItNeverRunsAsync(run, reason);
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task A_skipped_run_does_not_run_later_when_its_claim_is_released(string reason, bool isPlanned)
    {
        var (run, settle) = await GivenToBeSkippedAsync(reason, isPlanned);
        await StartAsync(run);

        Assert.Equal(0, await Store.ReleaseClaimsAsync(run.Held.Node.Id, [run.Held.Fence], Cancellation));
        await settle();

        await ThenItNeverRunsAsync(run, reason);
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task A_repeated_start_of_a_skipped_run_says_the_same_and_plans_nothing_more(string reason, bool isPlanned)
    {
        var (run, settle) = await GivenToBeSkippedAsync(reason, isPlanned);

        var first = await StartAsync(run);
        var waiting = (await WaitingRunsAsync()).Select(entry => entry.Id).ToArray();
        var second = await StartAsync(run);
        await settle();
        await FinishTaskAsync(run, OutcomeKind.Cancelled, reason: reason);
        var third = await StartAsync(run);

        Assert.All(new[] { first, second, third }, start => Assert.Equal(
            (TaskStartDecision.Skip, reason, null), (start.Decision, start.Reason, start.Task)));
        Assert.Equal(first.Job, second.Job);
        if (reason != EndReasons.JobNotActive)
        {
            Assert.Equal(waiting, (await WaitingRunsAsync()).Select(entry => entry.Id));
        }

        await ThenItNeverRunsAsync(run, reason);
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task A_skipped_runs_outcome_is_accepted_as_often_as_it_is_said(string reason, bool isPlanned)
    {
        var (run, _) = await GivenToBeSkippedAsync(reason, isPlanned);
        await StartAsync(run);

        await FinishTaskAsync(run, OutcomeKind.Cancelled, reason: reason);
        await FinishTaskAsync(run, OutcomeKind.Cancelled, reason: reason);

        Assert.Single(await TryFinishAsync(run.Held.Node, run.Held.Outcome(isTask: true)));
        var entry = await FindAsync(run.Held.Id);
        Assert.Equal(
            (EntryState.Cancelled, reason, run.Entry.Attempt, run.Entry.Crashes),
            (entry.State, entry.Reason, entry.Attempt, entry.Crashes));
    }

    [Fact]
    public async Task A_skipped_run_keeps_the_counts_it_came_with()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var (_, _) = await GivenRunningTaskAsync(node);
        await Jobs.TriggerAsync(job.Id, null, Cancellation);
        await FinishTaskAsync(await ClaimRunAsync(node), OutcomeKind.Retried, error: "boom");
        await DieAndSweepAsync((await ClaimRunAsync(GivenNode())).Held.Node);
        var run = await ClaimRunAsync(node);

        var start = await StartAsync(run);

        Assert.Equal((TaskStartDecision.Skip, EndReasons.Overlap), (start.Decision, start.Reason));
        var entry = await FindAsync(run.Held.Id);
        Assert.Equal((EntryState.Cancelled, 2, 1, node.Name), (entry.State, entry.Attempt, entry.Crashes, entry.Node));
    }

    [Fact]
    public async Task Starts_of_one_skipped_entry_at_once_plan_one_run()
    {
        var (run, _) = await GivenToBeSkippedAsync(EndReasons.Missed, isPlanned: true);

        var starts = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => StartAsync(run), Cancellation)));

        Assert.All(starts, start => Assert.Equal((TaskStartDecision.Skip, EndReasons.Missed), (start.Decision, start.Reason)));
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task A_start_that_comes_after_its_entry_was_put_back_changes_nothing()
    {
        var (run, _) = await GivenToBeSkippedAsync(EndReasons.Missed, isPlanned: true);
        var job = await FindJobAsync(run.JobId);
        await FinishTaskAsync(run, OutcomeKind.Snoozed, error: "no answer");

        var late = await StartAsync(run);

        Assert.Equal(TaskStartDecision.ClaimLost, late.Decision);
        Assert.Equal(job.NextRunAt, (await FindJobAsync(run.JobId)).NextRunAt);
        Assert.Equal(run.Held.Id, Assert.Single(await WaitingRunsAsync()).Id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_missed_run_that_waits_for_too_long_is_skipped_unless_an_operator_puts_it_back(bool isEarlierUnfinished)
    {
        var node = GivenNode();
        await GivenJobAsync(configure: definition => definition with
        {
            Overlap = OverlapPolicy.QueueOne,
            CatchUpWithin = TimeSpan.FromMinutes(45),
        });
        var (earlier, _) = await GivenRunningTaskAsync(node);
        await ShiftTimeAsync(TimeSpan.FromHours(2.5));
        var missed = await ClaimRunAsync(node);
        var waits = await StartAsync(missed);
        Assert.Equal((TaskStartDecision.Wait, true), (waits.Decision, waits.Task!.IsCatchUp));
        await ShiftTimeAsync(TimeSpan.FromMinutes(20));
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(missed)).Decision);
        await ShiftTimeAsync(TimeSpan.FromMinutes(26));
        await (isEarlierUnfinished ? Task.CompletedTask : FinishTaskAsync(earlier));

        var skipped = await StartAsync(missed);

        Assert.Equal((TaskStartDecision.Skip, EndReasons.Missed), (skipped.Decision, skipped.Reason));
        await FinishTaskAsync(missed, OutcomeKind.Cancelled, reason: EndReasons.Missed);
        await (isEarlierUnfinished ? FinishTaskAsync(earlier) : Task.CompletedTask);
        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(missed.Held.Id, RetryFrom.LastStep, Cancellation));
        var retried = (await ClaimRunsAsync(node)).Single(run => run.Held.Id == missed.Held.Id);
        Assert.Equal(TaskStartDecision.Recovered, (await StartAsync(retried)).Decision);
        await FinishTaskAsync(retried);
    }

    [Fact]
    public async Task An_operators_retry_of_a_skipped_run_starts_it()
    {
        var (run, _) = await GivenToBeSkippedAsync(EndReasons.Missed, isPlanned: true);
        await StartAsync(run);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(run.Held.Id, RetryFrom.LastStep, Cancellation));
        var (_, task) = await GivenRunningTaskAsync(run.Held.Node);

        Assert.Equal(run.Held.Id, task.EntryId);
    }

    private async Task ThenItNeverRunsAsync(Run run, string reason)
    {
        var entry = await FindAsync(run.Held.Id);
        Assert.Equal((EntryState.Cancelled, reason), (entry.State, entry.Reason));
        await ShiftTimeAsync(TimeSpan.FromMinutes(1));
        Assert.DoesNotContain(run.Held.Id, (await ClaimAsync(GivenNode(), kinds: EntryKind)).Entries.Select(entry => entry.Id));
        Assert.DoesNotContain(
            run.Held.Id, (await Jobs.ListTasksAsync(run.JobId, null, 10, Cancellation)).Select(task => task.EntryId ?? 0));
    }

    /// <summary>Claims a run that the store will skip. Returns it with an action that removes the reason.</summary>
    private async Task<(Run Run, Func<Task> Settle)> GivenToBeSkippedAsync(string reason, bool isPlanned)
    {
        var node = GivenNode();
        var job = await GivenJobAsync(
            configure:
            definition => definition with { MissedRuns = reason == EndReasons.Missed ? MissedRunPolicy.Skip : MissedRunPolicy.RunOnce });
        switch (reason)
        {
            case EndReasons.Missed:
                await ShiftTimeAsync(TimeSpan.FromHours(10.5));
                return (await ClaimRunAsync(node), static () => Task.CompletedTask);

            case EndReasons.Overlap:
                var (earlier, _) = await GivenRunningTaskAsync(GivenNode());
                if (isPlanned)
                {
                    await ShiftTimeAsync(TimeSpan.FromMinutes(61));
                }
                else
                {
                    await Jobs.TriggerAsync(job.Id, null, Cancellation);
                }

                return (await ClaimRunAsync(node), () => FinishTaskAsync(earlier));

            case EndReasons.JobNotActive:
                var paused = await ClaimRunAsync(node);
                await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
                return (paused, () => Jobs.ResumeAsync(job.Id, Cancellation));

            default:
                var (first, task) = await GivenRunningTaskAsync(node);
                await FinishTaskAsync(first);
                await GivenJobAsync(configure: definition => definition with { StartAt = task.DueAt });
                return (await ClaimRunAsync(node), static () => Task.CompletedTask);
        }
    }
}
