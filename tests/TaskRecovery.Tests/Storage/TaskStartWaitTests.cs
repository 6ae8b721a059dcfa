using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

/// <summary>How long a run that waits for an unfinished one waits before it asks again.</summary>
public sealed class TaskStartWaitTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly Schedule[] Schedules = [Schedule.Cron("0 * * * *"), Schedule.Every(Hour)];

    [Theory]
    [InlineData(-5, 1)] // the clock was set back
    [InlineData(0, 1)]
    [InlineData(8, 1)]
    [InlineData(40, 5)]
    [InlineData(3_600, 15)]
    public void Run_asks_the_more_seldom_the_longer_the_unfinished_run_takes(int secondsUnfinished, int seconds)
    {
        foreach (var schedule in Schedules)
        {
            var queued = Facts(schedule, secondsUnfinished) with { Overlap = OverlapPolicy.QueueOne };
            var missed = Facts(schedule, secondsUnfinished, late: 1.5 * Hour);
            var behind = Facts(schedule, secondsUnfinished) with { HasUnfinishedTaskSinceDue = true };

            foreach (var job in new[] { queued, missed, behind })
            {
                var verdict = TaskStartRules.Judge(Of(job));

                Assert.Equal((TaskStartDecision.Wait, TimeSpan.FromSeconds(seconds)), (verdict.Decision, verdict.WaitFor));
            }
        }
    }

    [Theory]
    [InlineData(OverlapPolicy.Skip)] // an operator retries it
    [InlineData(OverlapPolicy.QueueOne)]
    [InlineData(OverlapPolicy.CancelPrevious)]
    public void Run_that_waits_already_asks_as_seldom(OverlapPolicy overlap)
    {
        var job = Facts(Schedules[0], 3_600) with { Overlap = overlap, HasEarlierTask = true };

        var verdict = TaskStartRules.Judge(Of(job) with { Bound = TaskState.Created, IsQueued = true });

        Assert.Equal(
            (TaskStartDecision.Wait, TimeSpan.FromSeconds(15), true, overlap == OverlapPolicy.CancelPrevious),
            (verdict.Decision, verdict.WaitFor, verdict.IsQueued, verdict.CancelsOthers));
    }

    [Fact]
    public void Run_that_has_just_cancelled_the_previous_one_asks_soon()
    {
        var verdict = TaskStartRules.Judge(Of(Facts(Schedules[0], 3_600) with { Overlap = OverlapPolicy.CancelPrevious }));

        Assert.Equal(
            (TaskStartDecision.Wait, TimeSpan.FromSeconds(1), true), (verdict.Decision, verdict.WaitFor, verdict.CancelsOthers));
    }

    [Theory]
    [InlineData(0.0, 5)]
    [InlineData(4.0, 3)]
    [InlineData(9.5, 1)]
    [InlineData(-3_600.0, 15)] // the clock was set back
    public void Run_asks_before_its_start_deadline(double secondsLate, int seconds)
    {
        var late = TimeSpan.FromSeconds(secondsLate);
        foreach (var schedule in Schedules)
        {
            var job = Facts(schedule, 3_600, late);
            job = job with { Missed = job.Missed with { ExpiresAfter = TimeSpan.FromSeconds(10) } };
            var queued = job with { Overlap = OverlapPolicy.QueueOne };
            var behind = job with { HasUnfinishedTaskSinceDue = true };
            var bound = queued with { HasEarlierTask = true };
            TaskStartFacts[] all =
                [Of(queued), Of(behind), Of(bound) with { Bound = TaskState.Created, IsQueued = true, QueuedDueAt = Now - late }];

            foreach (var facts in all)
            {
                var verdict = TaskStartRules.Judge(facts);

                Assert.Equal((TaskStartDecision.Wait, TimeSpan.FromSeconds(seconds)), (verdict.Decision, verdict.WaitFor));
            }
        }
    }

    [Theory]
    [InlineData(601, false, TaskStartDecision.Skip, 0)]
    [InlineData(601, true, TaskStartDecision.Skip, 0)]
    [InlineData(600, false, TaskStartDecision.Recovered, 0)]
    [InlineData(594, true, TaskStartDecision.Wait, 3)]
    [InlineData(600, true, TaskStartDecision.Wait, 1)]
    [InlineData(0, true, TaskStartDecision.Wait, 15)]
    [InlineData(null, true, TaskStartDecision.Wait, 15)] // it is not missed, or an operator has put it back
    public void Missed_run_that_waits_is_skipped_after_its_time(
        int? secondsWaited, bool hasEarlier, TaskStartDecision decision, int seconds)
    {
        var job = Facts(Schedules[0], 3_600) with { Overlap = OverlapPolicy.QueueOne, HasEarlierTask = hasEarlier };
        var facts = Of(job with { Missed = job.Missed with { CatchUpWithin = TimeSpan.FromMinutes(10) } }) with
        {
            Bound = TaskState.Created,
            IsQueued = true,
            CatchUpFrom = secondsWaited is { } waited ? Now.AddSeconds(-waited) : null,
        };

        var verdict = TaskStartRules.Judge(facts);

        Assert.Equal(
            (decision, decision == TaskStartDecision.Skip ? EndReasons.Missed : null, false),
            (verdict.Decision, verdict.Reason, verdict.EndsEntry));
        Assert.Equal(seconds > 0 ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null, verdict.WaitFor);
        Assert.Equal(
            TaskStartDecision.Recovered, TaskStartRules.Judge(facts with { IsQueued = false, Bound = TaskState.Running }).Decision);
    }

    [Fact]
    public void Missed_run_asks_before_its_time_is_over_from_the_beginning()
    {
        var job = Facts(Schedules[0], 3_600, late: Hour + TimeSpan.FromSeconds(1));
        var missed = job with { Missed = job.Missed with { CatchUpWithin = Hour + TimeSpan.FromSeconds(9) } };
        var queued = job with
        {
            Missed = job.Missed with { Policy = MissedRunPolicy.RunOnce, CatchUpWithin = TimeSpan.FromSeconds(8) },
            Overlap = OverlapPolicy.QueueOne,
        };

        Assert.Equal(TimeSpan.FromSeconds(4), TaskStartRules.Judge(Of(missed)).WaitFor);
        var verdict = TaskStartRules.Judge(Of(queued));
        Assert.Equal((true, TimeSpan.FromSeconds(4)), (verdict.IsQueued, verdict.WaitFor));
    }

    [Theory]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    [InlineData(false, false, false)]
    public void Time_to_make_up_for_missed_runs_counts_from_the_begin_of_the_wait(bool isCatchUp, bool isPutBack, bool counts)
    {
        var task = new TaskRecord
        {
            Id = Guid.Empty,
            JobId = Guid.Empty,
            State = TaskState.Created,
            DueAt = Now - Hour,
            CreatedAt = Now,
            IsCatchUp = isCatchUp,
        };

        Assert.Equal(counts ? Now : (DateTimeOffset?)null, TaskStartFacts.CatchUpFromOf(task, isPutBack));
        Assert.Null(TaskStartFacts.CatchUpFromOf(task with { StartedAt = Now }, isPutBack));
        Assert.Null(TaskStartFacts.CatchUpFromOf(null, isPutBack));
    }

    [Theory]
    [InlineData(true, 5)] // it makes up for missed runs, so that its deadline counts from now
    [InlineData(false, 15)] // it was requested, so that it has none
    public void Run_without_a_due_time_of_its_own_asks_before_the_deadline_that_it_gets(bool isPlanned, int seconds)
    {
        var job = Facts(Schedules[0], 3_600, late: 1.5 * Hour) with
        {
            Missed = new MissedRunRules(MissedRunPolicy.RunOnce, null, 100, TimeSpan.FromSeconds(10), DateTimeOffset.UnixEpoch),
            Overlap = OverlapPolicy.QueueOne,
            IsPlanned = isPlanned,
        };

        var verdict = TaskStartRules.Judge(Of(job));

        Assert.Equal((true, TimeSpan.FromSeconds(seconds)), (verdict.IsQueued, verdict.WaitFor));
    }

    [Theory]
    [InlineData(OverlapPolicy.QueueOne, false, true)]
    [InlineData(OverlapPolicy.QueueOne, true, false)] // another run has the place
    [InlineData(OverlapPolicy.Skip, false, false)]
    [InlineData(OverlapPolicy.CancelPrevious, false, false)]
    public void Last_run_that_was_due_before_the_unfinished_one_began_takes_the_place_of_the_waiting_run(
        OverlapPolicy overlap, bool hasQueued, bool isQueued)
    {
        var job = Facts(Schedules[0], 8) with { Overlap = overlap, HasUnfinishedTaskSinceDue = true, HasQueuedTask = hasQueued };

        var verdict = TaskStartRules.Judge(Of(job));
        var missed = TaskStartRules.Judge(Of(job with { Timing = job.Timing with { NextRunAt = Now - (1.5 * Hour) } }));

        Assert.Equal(
            (TaskStartDecision.Wait, isQueued, false, isQueued),
            (verdict.Decision, verdict.IsQueued, verdict.CancelsOthers, verdict.Next is not null));
        Assert.Equal((TaskStartDecision.Wait, false), (missed.Decision, missed.IsQueued));
    }

    private static TaskStartFacts Of(JobStartFacts job) => new() { Now = Now, HoldsClaim = true, Job = job };

    private static JobStartFacts Facts(Schedule schedule, int secondsUnfinished, TimeSpan late = default) => new()
    {
        Timing = new JobTiming { Name = "job", State = JobState.Active, Schedule = schedule, NextRunAt = Now - late, IsPlanned = true },
        Missed = new MissedRunRules(MissedRunPolicy.RunAll, null, 100, null, DateTimeOffset.UnixEpoch),
        Overlap = OverlapPolicy.Skip,
        HasKindOfEntry = true,
        IsPlanned = true,
        HasTaskForDueTime = false,
        HasUnfinishedTask = true,
        UnfinishedSince = Now.AddSeconds(-secondsUnfinished),
    };
}
