using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <content>The claim it runs under: whether it may go on.</content>
internal sealed partial class WorkRun
{
    // Where heartbeats get through and other calls do not, the lease lasts for ever.
    private static readonly TimeSpan LongestOutage = TimeSpan.FromMinutes(1);

    /// <summary>Whether the store has said that the claim is not this node's any more.</summary>
    public bool IsFenced { get; private set; }

    /// <summary>Says that the store has refused this claim: nothing of this run is stored any more.</summary>
    public ClaimLostException EndAsLost(Exception? cause = null)
    {
        IsFenced = true;
        return EndAsCutOff(cause);
    }

    /// <summary>Says that this node may not work on, and that the store has not been heard: what is left is released if the claim is still this node's then.</summary>
    public ClaimLostException EndAsCutOff(Exception? cause = null)
    {
        if (TryStop(StopReason.ClaimLost))
        {
            Fire();
        }

        return new ClaimLostException(Entry.Id, Fence, cause);
    }

    /// <summary>Whether its handler has returned; what was left running behind it must not begin anything.</summary>
    public bool HasReturned { get; private set; }

    /// <summary>Whether the run has ended: its handler has returned, or the entry was released although it goes on.</summary>
    private bool HasEnded => HasReturned || Volatile.Read(ref _outcomeTaken) != 0;

    /// <exception cref="ClaimLostException">The store has refused this claim before, or the run has ended.</exception>
    public void ThrowIfFenced()
    {
        if (IsFenced || HasEnded)
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

    /// <summary>Repeats a call of the store that can be repeated while the store is not there, as long as the lease lasts and nothing asks the run to stop.</summary>
    /// <exception cref="StoreUnavailableException">It was not there for long, or the run is to stop.</exception>
    /// <exception cref="ClaimLostException">The lease is over.</exception>
    public async Task<T> RepeatWhileLeasedAsync<T>(Func<ValueTask<T>> ask)
    {
        var started = shared.Time.GetTimestamp();
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await WhileLeasedAsync(ask().AsTask()).ConfigureAwait(false);
            }
            catch (StoreUnavailableException) when (StopReason == StopReason.None && Claim.Lease.IsValid && shared.Time.GetElapsedTime(started) < LongestOutage)
            {
                // A restart or a failover of the database takes a moment: no failure of the handler, whose work before this call is not to be repeated.
            }

            await Task.Delay(RetryPolicy.Backoff(failures, Random.Shared.NextDouble()), shared.Time, Claim.Lease.Lost).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ThrowIfOver();
        }
    }

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
