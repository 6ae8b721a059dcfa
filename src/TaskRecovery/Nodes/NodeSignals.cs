using TaskRecovery.Hosting;

namespace TaskRecovery.Nodes;

/// <summary>Signals from the node's thread to the recovery loops.</summary>
internal sealed class NodeSignals
{
    /// <summary>A dead node has claims to recover.</summary>
    public Signal SweepDue { get; } = new();

    /// <summary>The answer of a claim call may have been lost.</summary>
    public Signal ReconcileDue { get; } = new();
}
