using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Decides whether a run starts, as a pure function that every store calls.</summary>
/// <remarks>
/// An entry is a new run unless a task is bound to it or it names one. If a task is bound, the task runs again, unless it has finished, or
/// its job is paused, deleted or of another kind by now; the task of a single run continues although its job ended with it. If the entry
/// names a task that is not bound to it, another entry has taken over the task.
/// A new run that does not start is skipped permanently: its entry ends in the same transaction. Otherwise a lost answer or a crash would
/// cause a second verdict, against a plan that has changed since. Only the planned entry plans the next run. Each due time has at most one
/// task, and so has each entry.
/// </remarks>
[Experimental("TASKRECOVERY001")]
public static class TaskStartRules
{
    /// <summary>Decides whether a run starts.</summary>
    public static TaskStartVerdict Judge(TaskStartFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        return facts switch
        {
            { HoldsClaim: false } => JudgeEnded(facts.EndedAs, facts.EndReason),
            { Bound: { } bound } => JudgeBound(bound, facts.Job),
            { NamesTask: true } => JudgeNamed(facts.Named),
            _ => JudgeNew(facts.Job, facts.Now),
        };
    }

    // The claim is lost, unless an earlier start under it skipped the run and its answer was lost, or a change of the job ended the run.
    private static TaskStartVerdict JudgeEnded(OutcomeKind? kind, string? reason) => (kind, reason) switch
    {
        (OutcomeKind.Superseded, EndReasons.Superseded) => new TaskStartVerdict(TaskStartDecision.Superseded, reason),
        (OutcomeKind.Cancelled, EndReasons.JobDeleted or EndReasons.JobNotActive or EndReasons.Missed or EndReasons.TaskFinished or EndReasons.Overlap)
            => new TaskStartVerdict(TaskStartDecision.Skip, reason),
        _ => new TaskStartVerdict(TaskStartDecision.ClaimLost, null),
    };

    private static TaskStartVerdict JudgeBound(TaskState bound, JobStartFacts? job) => (bound, job) switch
    {
        ( > TaskState.Running, _) => Skip(EndReasons.TaskFinished),
        (_, null) => Skip(EndReasons.JobDeleted),
        (_, { HasKindOfEntry: false }) => Skip(EndReasons.Superseded),
        (_, { Timing.State: JobState.Paused }) => Skip(EndReasons.JobNotActive),
        _ => new TaskStartVerdict(TaskStartDecision.Recovered, null),
    };

    private static TaskStartVerdict JudgeNamed(TaskState? named) => named switch
    {
        null => Skip(EndReasons.TaskNotFound),
        > TaskState.Running => Skip(EndReasons.TaskFinished),
        _ => Superseded(),
    };

    private static TaskStartVerdict JudgeNew(JobStartFacts? job, DateTimeOffset now)
    {
        switch (job)
        {
            case null:
                return SkipNew(EndReasons.JobDeleted);
            case { HasKindOfEntry: false }:
                return Superseded();
            case { Timing.State: not JobState.Active }:
                return SkipNew(EndReasons.JobNotActive);
        }

        var isMissed = job.IsPlanned && JobPlanning.IsMissed(job.Timing, now);
        var next = job.IsPlanned ? new NextRun(JobPlanning.AfterStart(job.Timing, job.MissedRuns, now)) : (NextRun?)null;
        if (isMissed && job.MissedRuns == MissedRunPolicy.Skip)
        {
            return SkipNew(EndReasons.Missed, next);
        }

        if (job is { IsPlanned: true, HasTaskForDueTime: true })
        {
            return SkipNew(EndReasons.TaskFinished, next);
        }

        if (job is { Overlap: OverlapPolicy.Skip, HasUnfinishedTask: true })
        {
            return isMissed && job.MissedRuns == MissedRunPolicy.RunAll ? new TaskStartVerdict(TaskStartDecision.Wait, null) : SkipNew(EndReasons.Overlap, next);
        }

        return new TaskStartVerdict(TaskStartDecision.Started, null, Next: next);
    }

    // The run of a bound or named task: the node ends the entry, and its task with it.
    private static TaskStartVerdict Skip(string reason) => new(TaskStartDecision.Skip, reason);

    private static TaskStartVerdict SkipNew(string reason, NextRun? next = null) => new(TaskStartDecision.Skip, reason, EndsEntry: true, next);

    private static TaskStartVerdict Superseded() => new(TaskStartDecision.Superseded, EndReasons.Superseded);
}
