using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>A new plan. If the job is active, an entry with the new due time replaces the planned entry.</summary>
/// <param name="State">The state of the job.</param>
/// <param name="Due">The due time of the next run; <see langword="null"/> if the job has none, and then it has ended.</param>
[Experimental("TASKRECOVERY001")]
public sealed record JobPlan(JobState State, DateTimeOffset? Due);
