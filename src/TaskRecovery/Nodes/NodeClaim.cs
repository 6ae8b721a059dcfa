namespace TaskRecovery.Nodes;

/// <summary>A batch of entries that this node has claimed. <see cref="NodeClaims"/> counts which of them still need an outcome.</summary>
internal sealed class NodeClaim(NodeLease lease, long fence, string queue, int count, long acceptedAt)
{
    /// <summary>The lease under which it was claimed. Once that lease is lost, none of its entries starts.</summary>
    public NodeLease Lease { get; } = lease;

    /// <summary>The claim's id, which is the fence of each of its entries.</summary>
    public long Fence { get; } = fence;

    /// <summary>The queue of its entries.</summary>
    public string Queue { get; } = queue;

    /// <summary>When the store's answer was received, as a timestamp of the time provider.</summary>
    public long AcceptedAt { get; } = acceptedAt;

    /// <summary>How many of its entries are not settled. Guarded by the lock of <see cref="NodeClaims"/>.</summary>
    internal int Unsettled { get; set; } = count;

    /// <summary>Counts entries that have an outcome in the store or are known to be lost.</summary>
    public void Settle(int entries) => Lease.Node.Claims.Settle(this, entries);
}
