namespace TaskRecovery.Hosting;

/// <summary>The nodes of the store that are alive.</summary>
internal interface IFleet
{
    /// <summary>How many nodes are alive, including this one, as of this node's last heartbeat; 0 if there was none.</summary>
    int NodesAlive { get; }
}
