using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Decides whether a run starts, as a pure function that every store calls.</summary>
/// <remarks>
/// An entry is a new run unless a task is bound to it or it names one. If a task is bound, the task runs again, unless it has finished, or
/// its job is paused, deleted or of another kind by now; the task of a single run continues although its job ended with it. A task that
/// waits for its first start, or that an operator retries, waits for the tasks before it. If the entry names a task that is not bound to
/// it, another entry has taken over the task.
/// A run that is not the planned one was requested, and the request was confirmed, or an operator has put back a run that was planned
/// before. So it also starts after its job has ended, and it waits while its job is paused. Its entry is put back in the transaction of the
/// start: only then does a resume find every run that waits.
/// A new run that does not start is skipped permanently: its entry ends in the same transaction. Otherwise a lost answer or a crash would
/// cause a second verdict, against a plan that has changed since. Only the planned entry plans the next run. Each due time has at most one
/// task, and so has each entry.
/// </remarks>
[Experimental("TASKRECOVERY001")]
public static partial class TaskStartRules
{
    /// <summary>Decides whether a run starts.</summary>
    public static TaskStartVerdict Judge(TaskStartFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        return facts switch
        {
            { HoldsClaim: false } => JudgeEnded(facts.EndedAs, facts.EndReason),
            { Bound: { } bound } => JudgeBound(bound, facts),
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

    // The claim is lost, unless an earlier start under it skipped the run or put it back and its answer was lost, or a change of the job
    // ended the run. A run that is put back ends if its cancellation was requested.
    private static TaskStartVerdict JudgeEnded(OutcomeKind? kind, string? reason) => (kind, reason) switch
    {
        (OutcomeKind.Superseded, EndReasons.Superseded) => new TaskStartVerdict(TaskStartDecision.Superseded, reason),
        (
            OutcomeKind.Cancelled,
            EndReasons.JobDeleted or EndReasons.JobNotActive or EndReasons.Missed or EndReasons.Expired or EndReasons.TaskFinished
                or EndReasons.Overlap
        )
            => new TaskStartVerdict(TaskStartDecision.Skip, reason),
        (OutcomeKind.Snoozed, EndReasons.JobNotActive) or (OutcomeKind.Cancelled, EndReasons.CancelRequested)
            => new TaskStartVerdict(TaskStartDecision.Wait, null),
        _ => new TaskStartVerdict(TaskStartDecision.ClaimLost, null),
    };

    private static TaskStartVerdict JudgeBound(TaskState bound, TaskStartFacts facts) => (bound, facts.Job) switch
    {
        ( > TaskState.Running, _) => Skip(EndReasons.TaskFinished),
        (_, null) => Skip(EndReasons.JobDeleted),
        (_, { HasKindOfEntry: false }) => Skip(EndReasons.Superseded),
        (_, { Timing.State: JobState.Paused }) => Skip(EndReasons.JobNotActive),
        (_, { Missed.ExpiresAfter: { } deadline }) when facts.IsQueued && facts.Now - facts.QueuedDueAt > deadline
            => Skip(EndReasons.Expired),
        (_, { Missed.CatchUpWithin: { } within }) when facts.IsQueued && facts.Now - facts.CatchUpFrom > within => Skip(EndReasons.Missed),
        (_, { Overlap: not OverlapPolicy.Allow, HasEarlierTask: true } job) when facts.IsQueued
            => Queued(job.Overlap, WaitBehind(job, facts.QueuedDueAt, facts.CatchUpFrom, facts.Now)),
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
            case { Timing.State: not JobState.Active, IsPlanned: true }:
                return SkipNew(EndReasons.JobNotActive);
            case { Timing.State: JobState.Paused }:
                return new TaskStartVerdict(TaskStartDecision.Wait, null, WaitFor: PauseWaitOf(job, now), WaitsForResume: true);
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
                return new TaskStartVerdict(TaskStartDecision.Wait, UnplannableJob.Of(job.Timing.Name, exception).Problem);
            }

            next = new NextRun(planned.Next, planned.Dropped);
        }

        if (planned.Reason is { } reason)
        {
            return SkipNew(reason, next);
        }

        if (job.HasTaskForDueTime && (job.IsPlanned || job.DueAt is not null))
        {
            return SkipNew(EndReasons.TaskFinished, next);
        }

        var isCatchUp = planned.IsMissed || job.IsBackfill;
        if (!job.HasUnfinishedTask || job.Overlap == OverlapPolicy.Allow)
        {
            return new TaskStartVerdict(TaskStartDecision.Started, null, Next: next, IsCatchUp: isCatchUp);
        }

        // Runs that are made up for run one after the other. The last of them is not missed, because no other due time has passed, but it
        // was due before the run that it waits for began. If one run may wait with a task of its own, and none does, it takes that place:
        // otherwise later runs by hand would take it, and it might be missed in the end.
        var isBehind = planned.IsMissed || job is { IsPlanned: true, HasUnfinishedTaskSinceDue: true };
        var hasPlace = !planned.IsMissed && job is { Overlap: OverlapPolicy.QueueOne, HasQueuedTask: false };
        if (job.IsBackfill || (isBehind && !hasPlace && job.Missed.Policy == MissedRunPolicy.RunAll))
        {
            var due = job.Timing.NextRunAt;
            return new TaskStartVerdict(
                TaskStartDecision.Wait, null,
                WaitFor: job.IsBackfill ? BackfillWaitOf(job, now) : WaitBehind(job, due, planned.IsMissed ? due : null, now));
        }

        if (job.Overlap == OverlapPolicy.Skip || job is { Overlap: OverlapPolicy.QueueOne, HasQueuedTask: true })
        {
            return SkipNew(EndReasons.Overlap, next);
        }

        // A run that is cancelled ends soon, however long it has taken. The deadlines of the task count from the same times as in
        // TaskStartFacts.QueuedDueAtOf and CatchUpFromOf.
        var dueAt = isCatchUp ? now : job.IsPlanned ? job.Timing.NextRunAt : null;
        var wait = job.Overlap == OverlapPolicy.CancelPrevious
            ? ShortestWaitBehind : WaitBehind(job, dueAt, isCatchUp ? now : null, now);
        return Queued(job.Overlap, wait) with { Next = next, IsCatchUp = isCatchUp };
    }

    private static TaskStartVerdict Queued(OverlapPolicy overlap, TimeSpan wait) => new(
        TaskStartDecision.Wait, null, IsQueued: true, CancelsOthers: overlap == OverlapPolicy.CancelPrevious, WaitFor: wait);

    // The run of a bound or named task: the node ends the entry, and its task with it.
    private static TaskStartVerdict Skip(string reason) => new(TaskStartDecision.Skip, reason);

    private static TaskStartVerdict SkipNew(string reason, NextRun? next = null)
        => new(TaskStartDecision.Skip, reason, EndsEntry: true, next);

    private static TaskStartVerdict Superseded() => new(TaskStartDecision.Superseded, EndReasons.Superseded);
}
