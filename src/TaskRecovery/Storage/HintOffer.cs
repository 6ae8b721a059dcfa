using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What a node reports with a heartbeat, so that a few nodes listen for the hints of all.</summary>
/// <param name="Queues">The lines of the node: one for each queue that it works, named after the queue and the kinds that it runs. A store
/// keeps and returns these names as they are.</param>
/// <param name="FullQueues">Those of them from which the node would claim nothing now.</param>
/// <param name="Load">How busy the node is, from 0. Nodes with a lower number listen first.</param>
/// <param name="EndsTurn">Whether the node has listened long enough, so that it is last among nodes of its load.</param>
[Experimental("TASKRECOVERY001")]
public sealed record HintOffer(IReadOnlyList<string> Queues, IReadOnlyList<string> FullQueues, int Load, bool EndsTurn);
