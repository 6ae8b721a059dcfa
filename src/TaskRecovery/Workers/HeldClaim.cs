using TaskRecovery.Nodes;

namespace TaskRecovery.Workers;

/// <summary>A batch that this process has claimed, until every entry in it is settled.</summary>
internal sealed class HeldClaim(NodeLease lease, long fence, string queue, int count, long acceptedAt)
{
    private int _unsettled = count;

    /// <summary>The lease it was claimed under: nothing of it starts once that is lost.</summary>
    public NodeLease Lease { get; } = lease;

    /// <summary>The claim's id: the fence of every entry in it.</summary>
    public long Fence { get; } = fence;

    public string Queue { get; } = queue;

    /// <summary>When the store's answer was taken in, as a timestamp of the time provider.</summary>
    public long AcceptedAt { get; } = acceptedAt;

    /// <summary>Says that so many entries have an outcome in the store, or are known to be lost.</summary>
    /// <returns><see langword="true"/> if nothing is left.</returns>
    public bool Settle(int entries) => Interlocked.Add(ref _unsettled, -entries) == 0;
}
