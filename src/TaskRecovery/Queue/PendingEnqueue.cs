using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>One caller that waits until its entry is stored.</summary>
internal sealed class PendingEnqueue(NewEntry entry, CancellationToken cancellationToken)
    : TaskCompletionSource<EnqueueResult>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public NewEntry Entry => entry;

    public CancellationToken Token => cancellationToken;

    /// <summary>Since when the call waits for its unique key to be free, as a timestamp of the clock; <see langword="null"/> if it does
    /// not.</summary>
    public long? BlockedSince { get; set; }

    public bool IsCancelled => cancellationToken.IsCancellationRequested;
}
