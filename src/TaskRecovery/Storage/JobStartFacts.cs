using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What a store has read about the job of a run that is about to start.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record JobStartFacts
{
    /// <summary>The values on which the plan depends.</summary>
    public required JobTiming Timing { get; init; }

    /// <summary>What happens to missed runs.</summary>
    public required MissedRunPolicy MissedRuns { get; init; }

    /// <summary>What happens to a due run while an earlier run is unfinished.</summary>
    public required OverlapPolicy Overlap { get; init; }

    /// <summary>Whether the entry has the kind of the job's entries. If not, the job's kind has changed, and its arguments do not fit the
    /// handler of the entry.</summary>
    public required bool HasKindOfEntry { get; init; }

    /// <summary>Whether the entry is the planned one, whose due time is <see cref="JobTiming.NextRunAt"/>.</summary>
    public required bool IsPlanned { get; init; }

    /// <summary>Whether a task exists for the due time of the planned entry.</summary>
    public required bool HasTaskForDueTime { get; init; }

    /// <summary>Whether the job has a task that has not ended.</summary>
    public required bool HasUnfinishedTask { get; init; }
}
