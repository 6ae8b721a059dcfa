using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

/// <summary>Compares the verdict over all combinations of facts with a list of rules of which the first that applies decides.</summary>
public sealed class TaskStartRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TaskState?[] Tasks = [null, TaskState.Created, TaskState.Running, TaskState.Completed, TaskState.Failed, TaskState.Cancelled];
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
        select new JobStartFacts
        {
            Timing = new JobTiming(state, isSingle ? null : Hour, isSingle ? Now - Hour : null, null, Now - (isLate ? 1.5 * Hour : Hour / 2), isPlanned),
            MissedRuns = missedRuns,
            Overlap = overlap,
            HasKindOfEntry = hasKind,
            IsPlanned = isPlanned,
            HasTaskForDueTime = hasTask,
            HasUnfinishedTask = hasUnfinished,
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
                && (verdict.Decision == TaskStartDecision.Started || verdict.Reason is EndReasons.Missed or EndReasons.Overlap or EndReasons.TaskFinished);
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
        var verdict = TaskStartRules.Judge(Planned(new JobTiming(JobState.Active, Hour, null, null, Now.AddMinutes(-minutesLate), IsPlanned: true), policy));

        Assert.Equal(new NextRun(Now.AddMinutes(nextInMinutes)), verdict.Next);
    }

    [Fact]
    public void Single_run_ends_its_job()
    {
        var verdict = TaskStartRules.Judge(Planned(new JobTiming(JobState.Active, null, Now, null, Now, IsPlanned: true)));

        Assert.Equal((TaskStartDecision.Started, new NextRun(null)), (verdict.Decision, verdict.Next));
    }

    [Theory]
    [InlineData(null, null, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Lost, null, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Snoozed, null, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.CancelRequested, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.Erased, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Failed, EndReasons.CrashLoop, TaskStartDecision.ClaimLost)]
    [InlineData(OutcomeKind.Superseded, EndReasons.Superseded, TaskStartDecision.Superseded)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.JobDeleted, TaskStartDecision.Skip)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.JobNotActive, TaskStartDecision.Skip)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.Missed, TaskStartDecision.Skip)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.TaskFinished, TaskStartDecision.Skip)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.Overlap, TaskStartDecision.Skip)]
    public void Ended_run_gets_the_answer_that_was_lost(OutcomeKind? kind, string? reason, TaskStartDecision expected)
    {
        var facts = Planned(new JobTiming(JobState.Active, Hour, null, null, Now, IsPlanned: true)) with { HoldsClaim = false, EndedAs = kind, EndReason = reason };

        var verdict = TaskStartRules.Judge(facts);

        Assert.Equal(new TaskStartVerdict(expected, expected == TaskStartDecision.ClaimLost ? null : reason), verdict);
    }

    private static TaskStartFacts Planned(JobTiming timing, MissedRunPolicy policy = MissedRunPolicy.RunOnce) => new()
    {
        Now = Now,
        HoldsClaim = true,
        Job = new JobStartFacts
        {
            Timing = timing,
            MissedRuns = policy,
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
        var isMissed = job is { IsPlanned: true, Timing.Interval: not null } && Now - job.Timing.NextRunAt > Hour;
        (bool Applies, TaskStartDecision Decision, string? Reason)[] rules =
        [
            (bound > TaskState.Running, TaskStartDecision.Skip, EndReasons.TaskFinished),
            (isNew && facts.NamesTask && named is null, TaskStartDecision.Skip, EndReasons.TaskNotFound),
            (isNew && named > TaskState.Running, TaskStartDecision.Skip, EndReasons.TaskFinished),
            (isNew && facts.NamesTask, TaskStartDecision.Superseded, EndReasons.Superseded),
            (job is null, TaskStartDecision.Skip, EndReasons.JobDeleted),
            (job?.HasKindOfEntry == false, isNew ? TaskStartDecision.Superseded : TaskStartDecision.Skip, EndReasons.Superseded),
            (job?.Timing.State == JobState.Paused, TaskStartDecision.Skip, EndReasons.JobNotActive),
            (!isNew, TaskStartDecision.Recovered, null),
            (job?.Timing.State == JobState.Ended, TaskStartDecision.Skip, EndReasons.JobNotActive),
            (isMissed && job!.MissedRuns == MissedRunPolicy.Skip, TaskStartDecision.Skip, EndReasons.Missed),
            (job is { IsPlanned: true, HasTaskForDueTime: true }, TaskStartDecision.Skip, EndReasons.TaskFinished),
            (isMissed && job is { Overlap: OverlapPolicy.Skip, HasUnfinishedTask: true, MissedRuns: MissedRunPolicy.RunAll }, TaskStartDecision.Wait, null),
            (job is { Overlap: OverlapPolicy.Skip, HasUnfinishedTask: true }, TaskStartDecision.Skip, EndReasons.Overlap),
            (true, TaskStartDecision.Started, null),
        ];
        var rule = rules.First(rule => rule.Applies);
        return (rule.Decision, rule.Reason);
    }
}
