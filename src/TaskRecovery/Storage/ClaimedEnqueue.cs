using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The result of storing entries with a claimer.</summary>
/// <param name="Results">One result per entry, in the same order, with ascending ids.</param>
/// <param name="Batch">The claim of the entries; empty if they wait in the queue instead.</param>
[Experimental("TASKRECOVERY001")]
public sealed record ClaimedEnqueue(EnqueueResult[] Results, ClaimBatch Batch);
