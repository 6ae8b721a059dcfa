namespace TaskRecovery.Nodes;

/// <summary>This process as a node, for those who claim and run entries.</summary>
internal interface ICurrentNode
{
    /// <summary>The life that goes on now; <see langword="null"/> before the first registration and between two lives.</summary>
    Node? Node { get; }

    /// <summary>Waits until work may be claimed: the start-up hook is through, the node is registered and its lease is valid.</summary>
    Task<NodeLease> WaitForLeaseAsync(CancellationToken cancellationToken);

    /// <summary>A claim came back as <see cref="ClaimAnswer.WentBackInTime"/>, or the store has lost one: cancels everything that runs and registers anew.</summary>
    void ReportWentBackInTime(Node life, long fence);

    /// <summary>The store said that this life's node is dead (<see cref="Storage.ClaimBatch.NodeIsDead"/>): heartbeats at once to learn the same.</summary>
    void ReportDead(Node life);

    /// <summary>Nothing of this process runs or starts any more, and what ended was stored: the node leaves when it is disposed, although it was not stopped.</summary>
    void ReportDrained();

    /// <summary>Asks for a comparison of claims soon: an answer was lost or came too late.</summary>
    void RequestReconcile();
}

/// <summary>Whether this process works entries at all. One that only enqueues is no node: it does not heartbeat, sweep or claim.</summary>
internal interface INodeRole
{
    /// <summary>Whether some worker is registered.</summary>
    bool Works { get; }
}

/// <summary>Wakes this process's own claimers.</summary>
internal interface IClaimWaker
{
    /// <summary>Work may have come to any queue, also early in line: look from the front.</summary>
    void WakeAll();
}
