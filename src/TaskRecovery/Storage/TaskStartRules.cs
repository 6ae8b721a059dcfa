using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Decides whether a run starts, as a pure function that every store calls.</summary>
/// <remarks>
/// An entry is a new run unless a task is bound to it or it names one. If a task is bound, the task runs again, unless it has finished, or
/// its job is paused, deleted or of another kind by now; the task of a single run continues although its job ended with it. A task that
/// waits for its first start, or that an operator retries, waits for the tasks before it. If the entry names a task that is not bound to
/// it, another entry has taken over the task.
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
            { Bound: { } bound } => JudgeBound(bound, facts.IsQueued, facts.Job),
            { NamesTask: true } => JudgeNamed(facts.Named),
            _ => JudgeNew(facts.Job, facts.Now),
        };
    }

    /// <summary>Returns the entries that a waiting run of <see cref="OverlapPolicy.CancelPrevious"/> cancels: those of older
    /// tasks.</summary>
    /// <remarks>Two runs may do this at the same moment. If they cancelled each other, neither would run.</remarks>
    /// <param name="unfinished">The unfinished tasks of the job, oldest first.</param>
    /// <param name="entryId">The entry of the waiting run.</param>
    /// <returns>Nothing if the run no longer waits, because a newer one has taken its place.</returns>
    public static IReadOnlyList<long> FindPrevious(IReadOnlyList<TaskRecord> unfinished, long entryId)
    {
        ArgumentNullException.ThrowIfNull(unfinished);
        var older = unfinished.TakeWhile(task => task.EntryId != entryId).ToList();
        return older.Count == unfinished.Count ? [] : [.. older.Select(static task => task.EntryId).OfType<long>()];
    }

    // The claim is lost, unless an earlier start under it skipped the run and its answer was lost, or a change of the job ended the run.
    private static TaskStartVerdict JudgeEnded(OutcomeKind? kind, string? reason) => (kind, reason) switch
    {
        (OutcomeKind.Superseded, EndReasons.Superseded) => new TaskStartVerdict(TaskStartDecision.Superseded, reason),
        (
            OutcomeKind.Cancelled,
            EndReasons.JobDeleted or EndReasons.JobNotActive or EndReasons.Missed or EndReasons.Expired or EndReasons.TaskFinished
                or EndReasons.Overlap
        )
            => new TaskStartVerdict(TaskStartDecision.Skip, reason),
        _ => new TaskStartVerdict(TaskStartDecision.ClaimLost, null),
    };

    private static TaskStartVerdict JudgeBound(TaskState bound, bool isQueued, JobStartFacts? job) => (bound, job) switch
    {
        ( > TaskState.Running, _) => Skip(EndReasons.TaskFinished),
        (_, null) => Skip(EndReasons.JobDeleted),
        (_, { HasKindOfEntry: false }) => Skip(EndReasons.Superseded),
        (_, { Timing.State: JobState.Paused }) => Skip(EndReasons.JobNotActive),
        (_, { Overlap: not OverlapPolicy.Allow, HasEarlierTask: true }) when isQueued => Queued(job.Overlap),
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

        PlannedStart planned = default;
        NextRun? next = null;
        if (job.IsPlanned)
        {
            try
            {
                planned = MissedRuns.Plan(job.Timing, job.Missed, now);
            }
            catch (Exception exception) when (UnplannableJob.IsProblem(exception))
            {
                // The run waits for a node that knows the time zone, because its start plans the next one.
                return new TaskStartVerdict(TaskStartDecision.Wait, exception.Message);
            }

            next = new NextRun(planned.Next);
        }

        if (planned.Reason is { } reason)
        {
            return SkipNew(reason, next);
        }

        if (job.HasTaskForDueTime && (job.IsPlanned || job.IsBackfill))
        {
            return SkipNew(EndReasons.TaskFinished, next);
        }

        var isCatchUp = planned.IsMissed || job.IsBackfill;
        if (!job.HasUnfinishedTask || job.Overlap == OverlapPolicy.Allow)
        {
            return new TaskStartVerdict(TaskStartDecision.Started, null, Next: next, IsCatchUp: isCatchUp);
        }

        // Runs that are made up for run one after the other.
        if (job.IsBackfill || (planned.IsMissed && job.Missed.Policy == MissedRunPolicy.RunAll))
        {
            return new TaskStartVerdict(TaskStartDecision.Wait, null);
        }

        return job.Overlap == OverlapPolicy.Skip || job is { Overlap: OverlapPolicy.QueueOne, HasQueuedTask: true }
            ? SkipNew(EndReasons.Overlap, next)
            : Queued(job.Overlap) with { Next = next, IsCatchUp = isCatchUp };
    }

    private static TaskStartVerdict Queued(OverlapPolicy overlap)
        => new(TaskStartDecision.Wait, null, IsQueued: true, CancelsOthers: overlap == OverlapPolicy.CancelPrevious);

    // The run of a bound or named task: the node ends the entry, and its task with it.
    private static TaskStartVerdict Skip(string reason) => new(TaskStartDecision.Skip, reason);

    private static TaskStartVerdict SkipNew(string reason, NextRun? next = null)
        => new(TaskStartDecision.Skip, reason, EndsEntry: true, next);

    private static TaskStartVerdict Superseded() => new(TaskStartDecision.Superseded, EndReasons.Superseded);
}
