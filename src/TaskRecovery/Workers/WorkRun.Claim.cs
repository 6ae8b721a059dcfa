using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <content>The claim of the run, and whether the run may continue.</content>
internal sealed partial class WorkRun
{
    // If heartbeats succeed while other calls fail, the lease never expires, so this limits the retries.
    private static readonly TimeSpan LongestOutage = TimeSpan.FromMinutes(1);

    /// <summary>Whether the store has refused this run's claim because it no longer belongs to this node.</summary>
    public bool IsFenced { get; private set; }

    /// <summary>Records that the store has refused this claim and cancels the token. Nothing of this run is stored any more.</summary>
    /// <returns>The exception for the caller to throw.</returns>
    public ClaimLostException EndAsLost(Exception? cause = null)
    {
        IsFenced = true;
        return EndAsCutOff(cause);
    }

    /// <summary>Cancels the token because this node may not continue the run, although the store has not refused the claim. When the run
    /// ends, the entry is released if the claim still belongs to this node.</summary>
    /// <returns>The exception for the caller to throw.</returns>
    public ClaimLostException EndAsCutOff(Exception? cause = null)
    {
        if (TryStop(StopReason.ClaimLost))
        {
            CancelToken();
        }

        return new ClaimLostException(Entry.Id, Fence, cause);
    }

    /// <summary>Whether the handler has returned. Tasks that it left running must not start anything after that.</summary>
    public bool HasReturned { get; private set; }

    /// <summary>Whether the run has ended: its handler has returned, or the entry was released while the handler still runs.</summary>
    private bool HasEnded => HasReturned || Volatile.Read(ref _outcomeTaken) != 0;

    /// <summary>Throws if nothing of this run may be stored any more.</summary>
    /// <exception cref="ClaimLostException">The store has refused this claim, or the run has ended.</exception>
    public void ThrowIfFenced()
    {
        if (IsFenced || HasEnded)
        {
            throw new ClaimLostException(Entry.Id, Fence);
        }
    }

    /// <summary>Throws if the run may not continue. Called before a handler starts and after every awaited store call: a process resumed
    /// after SIGSTOP can see a completed call before any token is cancelled, while another node already runs the entry.</summary>
    /// <exception cref="ClaimLostException">The store has refused this claim, the run has ended, or the lease is lost.</exception>
    public void ThrowIfOver()
    {
        ThrowIfFenced();
        if (!Claim.Lease.IsValid)
        {
            throw EndAsCutOff();
        }
    }

    /// <summary>Why a call of this run waits for the store; <see langword="null"/> if none waits after a failure.</summary>
    public Exception? StoreFailure { get; private set; }

    /// <inheritdoc cref="NodeLease.WhileQueued"/>
    public CancellationToken WhileQueued => Claim.Lease.WhileQueued(shared.Store.Traits);

    /// <summary>Calls the store, and retries while the store can't be used, as long as the lease is valid and the run is not asked to
    /// stop. The call must be safe to repeat.</summary>
    /// <remarks>All waits use the machine's clock. The application's clock may stand still in a test, and then the call would not be
    /// repeated, and the minute would never end.</remarks>
    /// <exception cref="StoreUnavailableException">The store was unavailable for a minute, the call waited for a transaction of this
    /// process, or the run is asked to stop.</exception>
    /// <exception cref="StoreConfigurationException">The same, and a person must repair the store.</exception>
    /// <exception cref="ClaimLostException">The lease is lost.</exception>
    public async Task<T> RepeatWhileLeasedAsync<T>(Func<ValueTask<T>> ask)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var failures = 1; ; failures++)
        {
            try
            {
                var answer = await WhileLeasedAsync(ask().AsTask()).ConfigureAwait(false);
                StoreFailure = null;
                return answer;
            }
            catch (Exception exception)
                when (StoreFailures.MayPass(exception) && StopReason == StopReason.None && Claim.Lease.IsValid
                    && TimeProvider.System.GetElapsedTime(started) < LongestOutage)
            {
                // A restart or failover of the database takes a moment. It must not fail the handler, whose work before this call would be
                // repeated.
                StoreFailure = exception;
            }

            var wait = Backoff.OfCalls.After(failures, Random.Shared.NextDouble());
            await Task.Delay(wait, TimeProvider.System, Claim.Lease.Lost).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ThrowIfOver();
        }
    }

    /// <summary>Waits for a call of the store, but only until the lease is lost. If the call arrives at the store later, the fence rejects
    /// it.</summary>
    /// <remarks>The driver gets no token: cancelling a call there sends a message to a server that may be unreachable, and can block the
    /// thread that cancels the token for seconds.</remarks>
    /// <exception cref="ClaimLostException">The lease is lost, and the call has failed or is not answered yet. If the call was answered,
    /// its result is returned, and the caller calls <see cref="ThrowIfOver"/> after it.</exception>
    public async Task<T> WhileLeasedAsync<T>(Task<T> answer)
    {
        var lost = Claim.Lease.Lost;
        await ((Task)answer).WaitAsync(lost).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (lost.IsCancellationRequested)
        {
            // We may be on the thread that cancels the lease's token. Yield, so that this run does not delay the cancellation of other
            // runs.
            await Task.Yield();
        }

        if (!answer.IsCompleted)
        {
            answer.ObserveFailure();
            throw EndAsCutOff();
        }

        try
        {
            return await answer.ConfigureAwait(false);
        }
        catch (Exception exception) when (!Claim.Lease.IsValid)
        {
            // A handler that catches an ordinary store error would continue, so throw the error that says that the claim is lost.
            throw EndAsCutOff(exception);
        }
        catch (StoreConfigurationException exception)
        {
            exception.Store = shared.Store;
            throw;
        }
    }

    /// <summary>Whether the error that ended the handler says that the store can't be used, so that it spends no attempt.</summary>
    public bool IsStoreFailure(Exception exception) => StoreFailures.EndsRun(exception, shared.Store);
}
