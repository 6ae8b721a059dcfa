namespace TaskRecovery.Nodes;

/// <summary>A line of nodes that may listen for hints, as one of them sees it.</summary>
/// <param name="Name">Its name (<see cref="HintListeners.Line"/>).</param>
/// <param name="Nodes">How many nodes stand in it, including this one.</param>
/// <param name="Listens">Whether this node is among its listeners.</param>
/// <param name="LeavesToFirst">Whether this node leaves new entries of the queue to the first node of the line, because the nodes of this
/// line are nearly idle and the first can take them. The others then poll only for what the first has missed.</param>
internal readonly record struct HintLine(string Name, int Nodes, bool Listens, bool LeavesToFirst);
