using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Whether a planned run starts, and when the next run is due.</summary>
/// <param name="Reason">Why the run is skipped, <see cref="EndReasons.Missed"/> or <see cref="EndReasons.Expired"/>;
/// <see langword="null"/> if it starts.</param>
/// <param name="Next">The due time of the next run. A time in the past means at once; <see langword="null"/> means that the job has
/// ended.</param>
/// <param name="IsMissed">Whether the run makes up for a missed one.</param>
/// <param name="Dropped">The number of missed runs of <see cref="MissedRunPolicy.RunAll"/> that are not made up for, counted up to
/// 1,000.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct PlannedStart(string? Reason, DateTimeOffset? Next, bool IsMissed, int Dropped = 0);
