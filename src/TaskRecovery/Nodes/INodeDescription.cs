namespace TaskRecovery.Nodes;

/// <summary>What this process says of itself when it joins as a node.</summary>
internal interface INodeDescription
{
    /// <summary>The description as JSON, see <see cref="Storage.StoredNodeInfo"/>.</summary>
    string Text { get; }
}
