using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The values on which the plan of a job depends.</summary>
/// <param name="State">The state of the job.</param>
/// <param name="Interval">The time between runs; <see langword="null"/> for a single run.</param>
/// <param name="OnceAt">The time of the single run.</param>
/// <param name="StartAt">The time of an interval job's first run.</param>
/// <param name="NextRunAt">The due time of the planned run. If the job is paused, the due time of the run that would have been
/// next.</param>
/// <param name="IsPlanned">Whether a planned entry exists for <paramref name="NextRunAt"/>.</param>
[Experimental("TASKRECOVERY001")]
public sealed record JobTiming(JobState State, TimeSpan? Interval, DateTimeOffset? OnceAt, DateTimeOffset? StartAt, DateTimeOffset? NextRunAt, bool IsPlanned);
