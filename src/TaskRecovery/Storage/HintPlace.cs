using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>A node's place in the lines of those that may listen for hints, as it reported it with its last heartbeat.</summary>
/// <param name="Queues">The lines of the node: one for each queue that it works, named after the queue and the kinds that it runs.</param>
/// <param name="FullQueues">Those of them from which it would claim nothing.</param>
/// <param name="Load">How busy it is.</param>
/// <param name="TurnEndedAt">When it last stopped listening; <see langword="null"/> if it never did.</param>
/// <param name="Number">Orders nodes that are otherwise equal.</param>
[Experimental("TASKRECOVERY001")]
public sealed record HintPlace(
    IReadOnlyList<string> Queues, IReadOnlyList<string> FullQueues, int Load, DateTimeOffset? TurnEndedAt, long Number);
