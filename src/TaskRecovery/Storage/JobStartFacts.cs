using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What a store has read about the job of a run that is about to start.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record JobStartFacts
{
    /// <summary>The values on which the plan depends.</summary>
    public required JobTiming Timing { get; init; }

    /// <summary>What the definition says about runs that start late.</summary>
    public required MissedRunRules Missed { get; init; }

    /// <summary>What happens to this run while an earlier run is unfinished.</summary>
    public required OverlapPolicy Overlap { get; init; }

    /// <summary>Whether the entry has the kind of the job's entries. If not, the job's kind has changed, and its arguments do not fit the
    /// handler of the entry.</summary>
    public required bool HasKindOfEntry { get; init; }

    /// <summary>Whether the entry is the planned one, whose due time is <see cref="JobTiming.NextRunAt"/>.</summary>
    public required bool IsPlanned { get; init; }

    /// <summary>Whether the schedule planned the entry, which an operator may have put back since.</summary>
    public bool WasPlanned { get; init; }

    /// <summary>Whether the run was requested for a due time.</summary>
    public bool IsBackfill => DueAt is not null && !IsPlanned && !WasPlanned;

    /// <summary>When the pause of the job ends by itself; <see langword="null"/> if the job is not paused, or without an end.</summary>
    public DateTimeOffset? PausedUntil { get; init; }

    /// <summary>The due time that was requested, or for which the entry was planned.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>The latest due time before <see cref="DueAt"/> that has a task. Only read for requested due times.</summary>
    public DateTimeOffset? BackfilledUpTo { get; init; }

    /// <summary>Since when a task of the job has been running or, if none of the unfinished ones has started, waiting. Only read for runs
    /// that wait while one is unfinished: those of requested due times, of <see cref="MissedRunPolicy.RunAll"/>, of the policies that let a
    /// run wait, and those that wait already.</summary>
    public DateTimeOffset? UnfinishedSince { get; init; }

    /// <summary>Whether a task exists for the due time of the planned entry, or else for <see cref="DueAt"/>.</summary>
    public required bool HasTaskForDueTime { get; init; }

    /// <summary>Whether the job has a task that has not ended.</summary>
    public required bool HasUnfinishedTask { get; init; }

    /// <summary>Whether an unfinished task of the job was created at or after the due time of the planned run, so that this run was due
    /// before that task began. Only read for <see cref="MissedRunPolicy.RunAll"/>, and not if runs may overlap.</summary>
    public bool HasUnfinishedTaskSinceDue { get; init; }

    /// <summary>Whether one of the unfinished tasks waits for its first start. Only read for the policies that let a run wait.</summary>
    public bool HasQueuedTask { get; init; }

    /// <summary>Whether the bound task, which has not started, has to wait for another unfinished task of the job: one that has started, or
    /// one that is older. Not read if runs may overlap.</summary>
    public bool HasEarlierTask { get; init; }
}
