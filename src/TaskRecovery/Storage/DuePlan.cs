using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Whether a planned run starts, and when the next run is due.</summary>
/// <param name="Runs">Whether the run starts; otherwise it is skipped with the reason <see cref="EndReasons.Missed"/>.</param>
/// <param name="Next">The due time of the next run. A time in the past means at once.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct DuePlan(bool Runs, DateTimeOffset Next);
