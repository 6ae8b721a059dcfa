using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>A run that waits until its step or checkpoint is stored. The result is whether the node still holds the claim.</summary>
internal sealed class ProgressCall(NodeLease lease, ProgressWrite write)
    : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    /// <summary>The lease under which the run was claimed. After its loss, the call must not be stored.</summary>
    public NodeLease Lease => lease;

    public ProgressWrite Write => write;
}
