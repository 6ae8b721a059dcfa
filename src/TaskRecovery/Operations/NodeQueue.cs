namespace TaskRecovery;

/// <summary>A queue that a node serves.</summary>
/// <param name="Name">The queue.</param>
/// <param name="Concurrency">The number of entries that the node runs concurrently.</param>
public sealed record NodeQueue(string Name, int Concurrency);
