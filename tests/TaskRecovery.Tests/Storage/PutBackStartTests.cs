using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

/// <summary>The start of a planned run whose entry an operator has put back after the next run was planned.</summary>
public sealed class PutBackStartTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(JobState.Active, false, false, TaskStartDecision.Started, null)]
    [InlineData(JobState.Ended, false, false, TaskStartDecision.Started, null)]
    [InlineData(JobState.Paused, false, false, TaskStartDecision.Wait, null)]
    [InlineData(JobState.Active, true, false, TaskStartDecision.Skip, EndReasons.TaskFinished)]
    [InlineData(JobState.Active, false, true, TaskStartDecision.Skip, EndReasons.Overlap)]
    public void Starts_once_for_its_due_time_and_is_no_run_of_a_backfill(
        JobState state, bool hasTask, bool isUnfinished, TaskStartDecision decision, string? reason)
    {
        var verdict = TaskStartRules.Judge(new TaskStartFacts
        {
            Now = Now,
            HoldsClaim = true,
            Job = new JobStartFacts
            {
                Timing = new JobTiming { Name = "job", State = state, Schedule = Schedule.Every(Hour), NextRunAt = Now + Hour },
                Missed = new MissedRunRules(MissedRunPolicy.Skip, Hour, 100, Hour, DateTimeOffset.UnixEpoch),
                Overlap = OverlapPolicy.Skip,
                HasKindOfEntry = true,
                IsPlanned = false,
                WasPlanned = true,
                DueAt = Now - (9 * Hour),
                HasTaskForDueTime = hasTask,
                HasUnfinishedTask = isUnfinished,
            },
        });

        Assert.Equal((decision, reason, false, null), (verdict.Decision, verdict.Reason, verdict.IsCatchUp, verdict.Next));
    }
}
