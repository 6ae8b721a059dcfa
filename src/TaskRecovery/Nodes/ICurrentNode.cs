namespace TaskRecovery.Nodes;

/// <summary>This process as a node, as the code that claims and runs entries sees it.</summary>
internal interface ICurrentNode
{
    /// <summary>The current registration; <see langword="null"/> before the first registration and while the process registers
    /// again.</summary>
    Node? Node { get; }

    /// <summary>Waits until this node may claim: the start-up hook is complete, the node is registered, and its lease is valid.</summary>
    Task<NodeLease> WaitForLeaseAsync(CancellationToken cancellationToken);

    /// <summary>Reports that a claim was answered with <see cref="ClaimAnswer.LostCommits"/> or is missing in the store. Cancels every
    /// running handler and registers the process again.</summary>
    void ReportLostCommits(Node node, long fence);

    /// <summary>Reports that the store considers this node dead (<see cref="Storage.ClaimBatch.NodeIsDead"/>). The node sends a heartbeat
    /// at once, which confirms it.</summary>
    void ReportDead(Node node);

    /// <summary>Reports that handlers are stopping. The node does not leave before <paramref name="drained"/> completes: no handler runs
    /// any more then, and all outcomes are stored.</summary>
    void ReportDraining(Task drained);

    /// <summary>Reports that no handler runs or will start, and that all outcomes are stored. The node then leaves when it is disposed,
    /// even if it was not stopped.</summary>
    void ReportDrained();

    /// <summary>Requests an early comparison of this node's claims with the store, because an answer was lost or arrived too
    /// late.</summary>
    void RequestReconcile();
}
