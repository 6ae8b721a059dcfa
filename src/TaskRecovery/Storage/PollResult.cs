using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The result of a poll.</summary>
/// <param name="DueQueues">The queues that are not paused and have a due entry of a requested kind.</param>
/// <param name="NextDue">The time until the next such entry is due, in a queue that is not one of
/// <see cref="PollRequest.LeftQueues"/>; <see langword="null"/> if there is none.</param>
/// <param name="CancelRequests">The ids of entries claimed by this node for which a cancel request is stored.</param>
/// <param name="UnknownKinds">The waiting kinds that the node can't run, if requested.</param>
[Experimental("TASKRECOVERY001")]
public sealed record PollResult(
    IReadOnlyList<string> DueQueues, TimeSpan? NextDue, IReadOnlyList<long> CancelRequests, IReadOnlyList<string> UnknownKinds);
