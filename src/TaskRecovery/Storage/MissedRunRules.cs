using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What a job's definition says about runs that start late.</summary>
/// <param name="Policy">What happens to missed runs.</param>
/// <param name="CatchUpWithin">Missed runs that were due longer ago than this are skipped; <see langword="null"/> for no limit.</param>
/// <param name="CatchUpLimit">How many missed runs <see cref="MissedRunPolicy.RunAll"/> makes up for at most: the latest ones.</param>
/// <param name="ExpiresAfter">How long after its due time a run may start; <see langword="null"/> for no limit.</param>
/// <param name="ChangedAt">When the definition changed last. Only the planned run is made up for from before that time.</param>
[Experimental("TASKRECOVERY001")]
public sealed record MissedRunRules(
    MissedRunPolicy Policy, TimeSpan? CatchUpWithin, int CatchUpLimit, TimeSpan? ExpiresAfter, DateTimeOffset ChangedAt)
{
    /// <summary>When the last pause of the job began, if the store has kept it (<see cref="PauseRules.KeepAfterResume"/>). What was due
    /// during the pause is not made up for.</summary>
    public DateTimeOffset? PausedFrom { get; init; }

    /// <summary>When that pause ended.</summary>
    public DateTimeOffset? PausedUntil { get; init; }
}
