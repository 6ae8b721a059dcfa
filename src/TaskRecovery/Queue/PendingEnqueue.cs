using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>One caller that waits until its entry is stored.</summary>
internal sealed class PendingEnqueue(NewEntry entry, CancellationToken cancellationToken)
    : TaskCompletionSource<EnqueueResult>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public NewEntry Entry => entry;

    public CancellationToken Token => cancellationToken;

    public bool IsCancelled => cancellationToken.IsCancellationRequested;
}
