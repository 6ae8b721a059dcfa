using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>A request to start the run of an entry.</summary>
/// <param name="NodeId">The node that holds the claim.</param>
/// <param name="EntryId">The id of the entry.</param>
/// <param name="Fence">The fence (claim id) of the claim.</param>
/// <param name="JobId">The id of the job.</param>
/// <param name="TaskId">The id of the task to run again; <see langword="null"/> for a new run.</param>
/// <param name="Attempt">The number of the attempt, starting at 1.</param>
/// <param name="EntryKind">The kind of the entry, which selected the handler. If the job's kind has changed since, its arguments do not fit
/// this handler, and the run does not start.</param>
/// <param name="DueAt">The due time of the entry (<see cref="IntervalJobArgs.DueAt"/>).</param>
/// <param name="Overlap">The overlap policy of this run; <see langword="null"/> for that of the job.</param>
/// <param name="WasPlanned">Whether the schedule planned the entry (<see cref="IntervalJobArgs.IsPlanned"/>). If it is no longer the
/// planned one, an operator has put it back.</param>
[Experimental("TASKRECOVERY001")]
public sealed record TaskStartRequest(
    Guid NodeId, long EntryId, long Fence, Guid JobId, Guid? TaskId, int Attempt,
    string EntryKind, DateTimeOffset? DueAt = null, OverlapPolicy? Overlap = null, bool WasPlanned = false);
