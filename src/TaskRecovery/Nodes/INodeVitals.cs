namespace TaskRecovery.Nodes;

/// <summary>Describes the state of this process for the node's heartbeat.</summary>
internal interface INodeVitals
{
    /// <summary>Returns the state as JSON. Called on the heartbeat's thread before each heartbeat; it must not block.</summary>
    /// <returns><see langword="null"/> if the state that was returned last is still good enough.</returns>
    string? Describe();
}
