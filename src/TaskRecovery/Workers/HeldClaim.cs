using TaskRecovery.Nodes;

namespace TaskRecovery.Workers;

/// <summary>A batch of entries that this process has claimed, until each of them is settled.</summary>
internal sealed class HeldClaim(NodeLease lease, long fence, string queue, int count, long acceptedAt)
{
    private int _unsettled = count;

    /// <summary>The lease under which it was claimed. Once that lease is lost, none of its entries starts.</summary>
    public NodeLease Lease { get; } = lease;

    /// <summary>The claim's id, which is the fence of each of its entries.</summary>
    public long Fence { get; } = fence;

    public string Queue { get; } = queue;

    /// <summary>When the store's answer was received, as a timestamp of the time provider.</summary>
    public long AcceptedAt { get; } = acceptedAt;

    /// <summary>Counts entries that have an outcome in the store or are known to be lost.</summary>
    /// <returns><see langword="true"/> if no entry is left.</returns>
    public bool Settle(int entries) => Interlocked.Add(ref _unsettled, -entries) == 0;
}
