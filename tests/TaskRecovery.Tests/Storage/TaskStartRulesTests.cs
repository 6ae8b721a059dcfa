using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

/// <summary>Compares the verdict over all combinations of facts with a list of rules of which the first that applies decides.</summary>
public sealed class TaskStartRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TaskState?[] Tasks =
        [null, TaskState.Created, TaskState.Running, TaskState.Completed, TaskState.Failed, TaskState.Cancelled];
    private static readonly bool[] Both = [false, true];

    private static IEnumerable<JobStartFacts?> AllJobs =>
    [
        null,
        ..
        from state in Enum.GetValues<JobState>()
        from isSingle in Both
        from isLate in Both
        from missedRuns in Enum.GetValues<MissedRunPolicy>()
        from overlap in Enum.GetValues<OverlapPolicy>()
        from hasKind in Both
        from isPlanned in Both
        from hasTask in Both
        from hasUnfinished in Both
        from isSinceDue in Both
        where hasUnfinished || !isSinceDue
        select new JobStartFacts
        {
            Timing = Timing(isSingle ? Schedule.Once(Now - Hour) : Schedule.Every(Hour), Now
                - (isLate ? 1.5 * Hour : Hour / 2), state, isPlanned),
            Missed = Rules(missedRuns),
            Overlap = overlap,
            HasKindOfEntry = hasKind,
            IsPlanned = isPlanned,
            HasTaskForDueTime = hasTask,
            HasUnfinishedTask = hasUnfinished,
            HasUnfinishedTaskSinceDue = isSinceDue,
        },
    ];

    private static IEnumerable<TaskStartFacts> AllFacts =>
        from job in AllJobs
        from bound in Tasks
        from named in Tasks
        from names in Both
        where names || named is null
        select new TaskStartFacts { Now = Now, HoldsClaim = true, Bound = bound, NamesTask = names, Named = named, Job = job };

    [Fact]
    public void First_rule_that_applies_decides()
    {
        var count = 0;
        foreach (var facts in AllFacts)
        {
            count++;
            var verdict = TaskStartRules.Judge(facts);
            var (decision, reason) = Expected(facts);
            Assert.True((decision, reason) == (verdict.Decision, verdict.Reason), $"{facts}: {verdict}");
        }

        Assert.True(count > 20_000);
    }

    [Fact]
    public void Only_a_new_run_ends_its_entry_and_only_the_planned_one_plans_the_next()
    {
        foreach (var facts in AllFacts)
        {
            var verdict = TaskStartRules.Judge(facts);
            var isNew = facts is { Bound: null, NamesTask: false };

            Assert.Equal(isNew && verdict.Decision == TaskStartDecision.Skip, verdict.EndsEntry);
            var plans = isNew && facts.Job is { IsPlanned: true }
                && (verdict.Decision == TaskStartDecision.Started || verdict.IsQueued
                    || verdict.Reason is EndReasons.Missed or EndReasons.Overlap or EndReasons.TaskFinished);
            Assert.Equal(plans, verdict.Next is not null);
        }
    }

    [Theory]
    [InlineData(MissedRunPolicy.RunOnce, 30, 30)]
    [InlineData(MissedRunPolicy.RunOnce, 90, 30)]
    [InlineData(MissedRunPolicy.Skip, 90, 30)]
    [InlineData(MissedRunPolicy.RunAll, 90, -30)]
    public void Next_run_follows_the_policy(MissedRunPolicy policy, int minutesLate, int nextInMinutes)
    {
        var verdict = TaskStartRules.Judge(Planned(Timing(Schedule.Every(Hour), Now.AddMinutes(-minutesLate)), policy));

        Assert.Equal(new NextRun(Now.AddMinutes(nextInMinutes)), verdict.Next);
    }

    [Theory]
    [InlineData(OverlapPolicy.QueueOne, false, TaskStartDecision.Wait, null, false)]
    [InlineData(OverlapPolicy.QueueOne, true, TaskStartDecision.Skip, EndReasons.Overlap, false)] // the first waiting one stays
    [InlineData(OverlapPolicy.CancelPrevious, false, TaskStartDecision.Wait, null, true)]
    [InlineData(OverlapPolicy.CancelPrevious, true, TaskStartDecision.Wait, null, true)]
    public void Run_waits_with_a_task_of_its_own(
        OverlapPolicy overlap, bool hasQueued, TaskStartDecision decision, string? reason, bool cancels)
    {
        var facts = Planned(Timing(Schedule.Every(Hour), Now));
        facts = facts with { Job = facts.Job! with { Overlap = overlap, HasUnfinishedTask = true, HasQueuedTask = hasQueued } };

        var verdict = TaskStartRules.Judge(facts);

        Assert.Equal(
            (decision, reason, decision == TaskStartDecision.Wait, cancels),
            (verdict.Decision, verdict.Reason, verdict.IsQueued, verdict.CancelsOthers));
        Assert.Equal(new NextRun(Now + Hour), verdict.Next);
    }

    [Theory]
    [InlineData(OverlapPolicy.QueueOne, true, true, TaskStartDecision.Wait)]
    [InlineData(OverlapPolicy.CancelPrevious, true, true, TaskStartDecision.Wait)]
    [InlineData(OverlapPolicy.QueueOne, true, false, TaskStartDecision.Recovered)] // the earlier one has ended
    [InlineData(OverlapPolicy.QueueOne, false, true, TaskStartDecision.Recovered)] // a retry
    [InlineData(OverlapPolicy.Skip, true, true, TaskStartDecision.Wait)] // the policy has changed, or an operator retries an ended run
    [InlineData(OverlapPolicy.Allow, true, true, TaskStartDecision.Recovered)]
    public void Waiting_run_starts_when_the_earlier_one_has_ended(
        OverlapPolicy overlap, bool isQueued, bool hasEarlier, TaskStartDecision decision)
    {
        var facts = Planned(Timing(Schedule.Every(Hour), Now)) with { Bound = TaskState.Created, IsQueued = isQueued };
        facts = facts with { Job = facts.Job! with { Overlap = overlap, HasUnfinishedTask = true, HasEarlierTask = hasEarlier } };

        Assert.Equal((decision, (NextRun?)null), (TaskStartRules.Judge(facts).Decision, TaskStartRules.Judge(facts).Next));
    }

    [Theory]
    [InlineData(1, new long[] { })] // it is the oldest
    [InlineData(2, new long[] { 1 })]
    [InlineData(3, new long[] { 1, 2 })]
    [InlineData(4, new long[] { })] // it has ended
    public void Run_cancels_older_ones(long entry, long[] expected)
    {
        TaskRecord[] unfinished = [Record(1), Record(2), Record(null), Record(3)];

        Assert.Equal(expected, TaskStartRules.FindPrevious(unfinished, entry));
    }

    [Theory]
    [InlineData(false, false, TaskStartDecision.Started, null)]
    [InlineData(true, false, TaskStartDecision.Wait, null)]
    [InlineData(false, true, TaskStartDecision.Skip, EndReasons.TaskFinished)]
    public void Backfilled_runs_run_one_after_the_other_and_once(
        bool isUnfinished, bool hasTask, TaskStartDecision decision, string? reason)
    {
        var facts = Planned(Timing(Schedule.Every(Hour), Now));
        facts = facts with
        {
            Job = facts.Job! with { IsPlanned = false, DueAt = Now, HasUnfinishedTask = isUnfinished, HasTaskForDueTime = hasTask },
        };

        var verdict = TaskStartRules.Judge(facts);

        Assert.Equal(
            (decision, reason, null, decision == TaskStartDecision.Started),
            (verdict.Decision, verdict.Reason, verdict.Next, verdict.IsCatchUp));
    }

    [Theory]
    [InlineData(OverlapPolicy.QueueOne, 6, true, TaskStartDecision.Skip)]
    [InlineData(OverlapPolicy.QueueOne, 6, false, TaskStartDecision.Skip)]
    [InlineData(OverlapPolicy.CancelPrevious, 6, false, TaskStartDecision.Skip)]
    [InlineData(OverlapPolicy.QueueOne, 5, false, TaskStartDecision.Recovered)]
    [InlineData(OverlapPolicy.QueueOne, 5, true, TaskStartDecision.Wait)]
    [InlineData(OverlapPolicy.QueueOne, null, false, TaskStartDecision.Recovered)] // run by hand, or put back by an operator
    public void Queued_run_expires_at_its_start_deadline(
        OverlapPolicy overlap, int? minutesLate, bool hasEarlier, TaskStartDecision decision)
    {
        var facts = Planned(Timing(Schedule.Every(Hour), Now)) with
        {
            Bound = TaskState.Created,
            IsQueued = true,
            QueuedDueAt = minutesLate is { } minutes ? Now.AddMinutes(-minutes) : null,
        };
        facts = facts with
        {
            Job = facts.Job! with
            {
                Overlap = overlap,
                Missed = Rules(MissedRunPolicy.RunOnce) with { ExpiresAfter = TimeSpan.FromMinutes(5) },
                HasUnfinishedTask = true,
                HasEarlierTask = hasEarlier,
            },
        };

        var verdict = TaskStartRules.Judge(facts);

        Assert.Equal(
            (decision, decision == TaskStartDecision.Skip ? EndReasons.Expired : null, false),
            (verdict.Decision, verdict.Reason, verdict.EndsEntry));
        Assert.Equal(
            TaskStartDecision.Recovered, TaskStartRules.Judge(facts with { IsQueued = false, Bound = TaskState.Running }).Decision);
    }

    [Theory]
    [InlineData(false, false, 90)]
    [InlineData(false, true, null)]
    [InlineData(true, false, 10)] // it began to wait ten minutes ago
    public void Start_deadline_of_a_queued_run_counts_from_its_due_time(bool isCatchUp, bool isPutBack, int? minutes)
    {
        var queued = Record(1) with { DueAt = Now.AddMinutes(-90), CreatedAt = Now.AddMinutes(-10), IsCatchUp = isCatchUp };

        Assert.Equal(
            minutes is { } ago ? Now.AddMinutes(-ago) : (DateTimeOffset?)null, TaskStartFacts.QueuedDueAtOf(queued, isPutBack));
        Assert.Null(TaskStartFacts.QueuedDueAtOf(queued with { StartedAt = Now }, isPutBack));
        Assert.Null(TaskStartFacts.QueuedDueAtOf(null, isPutBack));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.0)]
    [InlineData(60.0)]
    [InlineData(3600.0)]
    public void Many_backfilled_runs_ask_seldom_and_the_next_one_often(double secondsUnfinished)
    {
        var run = TimeSpan.FromSeconds(Math.Max(secondsUnfinished, 0.1));
        var longest = TimeSpan.FromSeconds(Math.Max(secondsUnfinished, 60));
        var waits = Enumerable.Range(1, 8_760).Select(number => WaitOfBackfill(number, TimeSpan.FromSeconds(secondsUnfinished))).ToList();

        var next = Math.Max(Math.Min(secondsUnfinished / 8, 300), Math.Clamp(secondsUnfinished / 2, 0.25, 1));
        Assert.Equal(TimeSpan.FromSeconds(next), waits[0]);
        Assert.Equal(waits.Order(), waits);
        Assert.Equal(longest, waits[^1]);
        var asksDuringOneRun = waits.Sum(wait => run / wait);
        var mostWait = 8_760 * (run / longest);
        Assert.True(asksDuringOneRun < 60 + mostWait, $"{asksDuringOneRun} starts during one run");
    }

    [Theory]
    [InlineData(1, 1, 80)]
    [InlineData(1, 24, 350)]
    [InlineData(2, 24, 350)]
    [InlineData(8_000, 1, 10)]
    [InlineData(8_000, 24, 15)]
    public void Backfilled_run_asks_the_more_seldom_the_longer_the_unfinished_run_takes(int number, int hours, int mostAsks)
    {
        var asks = 0;
        for (var waited = TimeSpan.Zero; waited < TimeSpan.FromHours(hours); waited += WaitOfBackfill(number, waited))
        {
            asks++;
        }

        Assert.InRange(asks, 2, mostAsks);
    }

    [Theory]
    [InlineData(0, 15)]
    [InlineData(60, 15)]
    [InlineData(2_000, 250)]
    [InlineData(3_600, 450)]
    [InlineData(36_000, 900)]
    public void Backfilled_runs_that_wait_for_a_regular_run_ask_the_more_seldom_the_longer_it_takes(int secondsUnfinished, int seconds)
    {
        var facts = Planned(Timing(Schedule.Cron("0 * * * *"), Now));

        var verdict = TaskStartRules.Judge(facts with
        {
            Job = facts.Job! with
            {
                IsPlanned = false,
                HasUnfinishedTask = true,
                DueAt = Now.AddYears(-1),
                UnfinishedSince = Now.AddSeconds(-secondsUnfinished),
            },
        });

        Assert.Equal(new TaskStartVerdict(TaskStartDecision.Wait, null, WaitFor: TimeSpan.FromSeconds(seconds)), verdict);
    }

    [Theory]
    [InlineData(null, 24 * 60)]
    [InlineData(60, 60)]
    [InlineData(100_000, 24 * 60)]
    [InlineData(0, 1)]
    [InlineData(-60, 1)]
    public void Run_that_was_requested_waits_for_the_end_of_a_pause(int? minutesToGo, int minutes)
    {
        var facts = Planned(Timing(Schedule.Every(Hour), Now, JobState.Paused, isPlanned: false));
        var until = minutesToGo is { } left ? Now.AddMinutes(left) : (DateTimeOffset?)null;
        var requested = facts with { Job = facts.Job! with { IsPlanned = false, PausedUntil = until } };

        Assert.Equal(
            new TaskStartVerdict(TaskStartDecision.Wait, null, WaitFor: TimeSpan.FromMinutes(minutes), WaitsForResume: true),
            TaskStartRules.Judge(requested));
    }

    [Fact]
    public void Run_waits_if_this_node_cannot_plan_the_one_after_it()
    {
        var verdict = TaskStartRules.Judge(Planned(Timing(StoredSchedule.Read(null, null, "* * * * *", "Mars/Base"), Now)));

        Assert.Equal((TaskStartDecision.Wait, null, false), (verdict.Decision, verdict.Next, verdict.EndsEntry));
        Assert.Contains("'Mars/Base'", verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Single_run_ends_its_job()
    {
        var verdict = TaskStartRules.Judge(Planned(Timing(Schedule.Once(Now), Now)));

        Assert.Equal((TaskStartDecision.Started, new NextRun(null)), (verdict.Decision, verdict.Next));
    }

    [Theory]
    [InlineData(null, null, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Lost, null, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Snoozed, null, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.CancelRequested, TaskStartDecision.Wait)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.Erased, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Failed, EndReasons.CrashLoop, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Snoozed, EndReasons.JobNotActive, TaskStartDecision.Wait)]
    [InlineData(OutcomeKind.Superseded, EndReasons.Superseded, TaskStartDecision.Superseded)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.JobDeleted, TaskStartDecision.Skip)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.JobNotActive, TaskStartDecision.Skip)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.Missed, TaskStartDecision.Skip)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.Expired, TaskStartDecision.Skip)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.TaskFinished, TaskStartDecision.Skip)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.Overlap, TaskStartDecision.Skip)]
    public void Ended_run_gets_the_answer_that_was_lost(OutcomeKind? kind, string? reason, TaskStartDecision expected)
    {
        var facts = Planned(Timing(Schedule.Every(Hour), Now)) with { HoldsClaim = false, EndedAs = kind, EndReason = reason };

        var verdict = TaskStartRules.Judge(facts);

        var isReasonGiven = expected is TaskStartDecision.Skip or TaskStartDecision.Superseded;
        Assert.Equal(new TaskStartVerdict(expected, isReasonGiven ? reason : null), verdict);
    }

    private static TimeSpan WaitOfBackfill(int number, TimeSpan unfinished)
    {
        var facts = Planned(Timing(Schedule.Cron("0 * * * *"), Now));
        return TaskStartRules.Judge(facts with
        {
            Job = facts.Job! with
            {
                IsPlanned = false,
                HasUnfinishedTask = true,
                DueAt = Now.AddYears(-1).AddHours(number),
                BackfilledUpTo = Now.AddYears(-1),
                UnfinishedSince = Now - unfinished,
            },
        }).WaitFor!.Value;
    }

    private static TaskRecord Record(long? entry)
        => new() { Id = Guid.NewGuid(), JobId = Guid.Empty, EntryId = entry, State = TaskState.Created };

    private static JobTiming Timing(Schedule schedule, DateTimeOffset due, JobState state = JobState.Active, bool isPlanned = true)
        => new() { Name = "job", State = state, Schedule = schedule, NextRunAt = due, IsPlanned = isPlanned };

    private static MissedRunRules Rules(MissedRunPolicy policy) => new(policy, null, 100, null, DateTimeOffset.UnixEpoch);

    private static TaskStartFacts Planned(JobTiming timing, MissedRunPolicy policy = MissedRunPolicy.RunOnce) => new()
    {
        Now = Now,
        HoldsClaim = true,
        Job = new JobStartFacts
        {
            Timing = timing,
            Missed = Rules(policy),
            Overlap = OverlapPolicy.Skip,
            HasKindOfEntry = true,
            IsPlanned = true,
            HasTaskForDueTime = false,
            HasUnfinishedTask = false,
        },
    };

    private static (TaskStartDecision Decision, string? Reason) Expected(TaskStartFacts facts)
    {
        var (bound, named, job) = (facts.Bound, facts.Named, facts.Job);
        var isNew = bound is null;
        var isMissed = job is { IsPlanned: true, Timing.Schedule.Interval: not null } && Now - job.Timing.NextRunAt > Hour;
        (bool Applies, TaskStartDecision Decision, string? Reason)[] rules =
        [
            (bound > TaskState.Running, TaskStartDecision.Skip, EndReasons.TaskFinished),
            (isNew && facts.NamesTask && named is null, TaskStartDecision.Skip, EndReasons.TaskNotFound),
            (isNew && named > TaskState.Running, TaskStartDecision.Skip, EndReasons.TaskFinished),
            (isNew && facts.NamesTask, TaskStartDecision.Superseded, EndReasons.Superseded),
            (job is null, TaskStartDecision.Skip, EndReasons.JobDeleted),
            (job?.HasKindOfEntry == false, isNew ? TaskStartDecision.Superseded : TaskStartDecision.Skip, EndReasons.Superseded),
            (!isNew && job?.Timing.State == JobState.Paused, TaskStartDecision.Skip, EndReasons.JobNotActive),
            (!isNew, TaskStartDecision.Recovered, null),
            (job is { IsPlanned: true, Timing.State: not JobState.Active }, TaskStartDecision.Skip, EndReasons.JobNotActive),
            (job?.Timing.State == JobState.Paused, TaskStartDecision.Wait, null),
            (isMissed && job!.Missed.Policy == MissedRunPolicy.Skip, TaskStartDecision.Skip, EndReasons.Missed),
            (job is { IsPlanned: true, HasTaskForDueTime: true }, TaskStartDecision.Skip, EndReasons.TaskFinished),
            (job is { Overlap: not OverlapPolicy.Allow, HasUnfinishedTask: true, Missed.Policy: MissedRunPolicy.RunAll }
                && (isMissed || job is { IsPlanned: true, HasUnfinishedTaskSinceDue: true }), TaskStartDecision.Wait, null),
            (job is { Overlap: OverlapPolicy.Skip, HasUnfinishedTask: true }, TaskStartDecision.Skip, EndReasons.Overlap),
            (job is { Overlap: OverlapPolicy.QueueOne or OverlapPolicy.CancelPrevious, HasUnfinishedTask: true },
                TaskStartDecision.Wait, null),
            (true, TaskStartDecision.Started, null),
        ];
        var rule = rules.First(rule => rule.Applies);
        return (rule.Decision, rule.Reason);
    }
}
