using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <content>The claim it runs under: whether it may go on.</content>
internal sealed partial class WorkRun
{
    /// <summary>Whether the store has said that the claim is not this node's any more.</summary>
    public bool IsFenced { get; private set; }

    /// <summary>Says that the store has refused this claim: nothing of this run is stored any more.</summary>
    public ClaimLostException EndAsLost(Exception? cause = null)
    {
        IsFenced = true;
        return EndAsCutOff(cause);
    }

    /// <summary>Says that this node may not work on, and that the store has not been heard: what is left is given back if the claim is still this node's then.</summary>
    public ClaimLostException EndAsCutOff(Exception? cause = null)
    {
        if (TryStop(StopReason.ClaimLost))
        {
            Fire();
        }

        return new ClaimLostException(Entry.Id, Fence, cause);
    }

    /// <exception cref="ClaimLostException">The store has refused this claim before.</exception>
    public void ThrowIfFenced()
    {
        if (IsFenced)
        {
            throw new ClaimLostException(Entry.Id, Fence);
        }
    }

    /// <summary>Stands wherever a handler is about to begin or to go on. A process that was stopped wakes in the middle of it, with the answers it waited for and no token of its own fired yet; another may be further by now.</summary>
    /// <exception cref="ClaimLostException">The store has refused this claim before, or the lease is over.</exception>
    public void ThrowIfOver()
    {
        ThrowIfFenced();
        if (!Claim.Lease.IsValid)
        {
            throw EndAsCutOff();
        }
    }

    /// <summary>For a write that must not be stored after this run was told that its claim is lost; none where the store cannot take a write back.</summary>
    public CancellationToken WhileQueued => shared.Store.Traits.TakesBackQueuedWrites ? Claim.Lease.Lost : CancellationToken.None;

    /// <summary>Waits for a call of the store, but no longer than the lease: if it arrives late, the fence refuses it.</summary>
    /// <remarks>No token goes to the driver: to cancel there means to talk to a server that may be out of reach, for seconds, and that on the thread that fires the token.</remarks>
    /// <exception cref="ClaimLostException">The lease is over and the call has failed or has not been answered. What was answered is for the caller to look at, and <see cref="ThrowIfOver"/> after it.</exception>
    public async Task<T> WhileLeasedAsync<T>(Task<T> answer)
    {
        var lost = Claim.Lease.Lost;
        await ((Task)answer).WaitAsync(lost).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (lost.IsCancellationRequested)
        {
            // This may be the thread that fires the lease's token: the tokens of other runs wait behind whatever goes on here.
            await Task.Yield();
        }

        if (!answer.IsCompleted)
        {
            _ = answer.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw EndAsCutOff();
        }

        try
        {
            return await answer.ConfigureAwait(false);
        }
        catch (Exception exception) when (!Claim.Lease.IsValid)
        {
            // A handler that takes a failed call for nothing but that would go on.
            throw EndAsCutOff(exception);
        }
    }
}
