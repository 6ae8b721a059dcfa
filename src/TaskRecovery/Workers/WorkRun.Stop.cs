using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>The token of a run. Its source belongs to the executor and is used again for the next run if it never fired.</summary>
internal sealed partial class WorkRun
{
    private CancellationTokenSource? _source;
    private long _startedAt;
    private long _stoppedAt;

    /// <summary>How long it has run.</summary>
    public TimeSpan Duration => shared.Time.GetElapsedTime(_startedAt);

    /// <summary>How long ago its token was cancelled.</summary>
    public TimeSpan SinceStop => shared.Time.GetElapsedTime(Volatile.Read(ref _stoppedAt));

    /// <summary>Whether the log has said that it does not listen to its token.</summary>
    public bool IsReportedUnresponsive { get; set; }

    /// <summary>How long it may run; <see langword="null"/> for no limit.</summary>
    public TimeSpan? TimeLimit => Entry.Timeout ?? Kind.Options.Timeout;

    /// <summary>Cancelled when the host begins to stop.</summary>
    public CancellationToken Stopping => shared.Stopping;

    /// <summary>Ends the run as released if the host is stopping. Called where everything so far is stored, so that the next run continues from here.</summary>
    /// <exception cref="OperationCanceledException">The host is stopping.</exception>
    public void EndIfStopping()
    {
        if (!shared.Stopping.IsCancellationRequested)
        {
            return;
        }

        End(OutcomeKind.Released, reason: null);
        if (TryStop(StopReason.Shutdown))
        {
            Fire();
        }

        throw new OperationCanceledException($"The host is stopping: this run of entry {Entry.Id} ends here, its checkpoint is stored, and the next run continues from it.", _source?.Token ?? default);
    }

    public void Begin(CancellationTokenSource source)
    {
        _source = source;
        _startedAt = shared.Time.GetTimestamp();
    }

    /// <summary>Fires the token, once, unless the run has ended. What is registered on it runs on another thread.</summary>
    public void Stop(StopReason reason)
    {
        if (TryStop(reason))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static run => run.Fire(), this, preferLocal: false);
        }
    }

    /// <summary>Says why the token is about to fire.</summary>
    /// <returns><see langword="true"/> if the caller is to <see cref="Fire"/> it; <see langword="false"/> if it has been cancelled or the run has ended.</returns>
    public bool TryStop(StopReason reason)
    {
        if (Interlocked.CompareExchange(ref _state, (int)reason, 0) != 0)
        {
            return false;
        }

        Volatile.Write(ref _stoppedAt, shared.Time.GetTimestamp());
        return true;
    }

    /// <summary>Fires the token here and now: whatever is registered on it, the handler's next lines among it, runs on this thread.</summary>
    public void Fire()
    {
        try
        {
            _source?.Cancel();
        }
        catch (AggregateException)
        {
            // A callback that the handler registered threw; every other callback has run.
        }
    }

    /// <summary>Says that the handler has returned.</summary>
    /// <returns><see langword="true"/> if the token never fired and never will, so that its source may be used again.</returns>
    public bool TryEndUnstopped() => Interlocked.CompareExchange(ref _state, Ended, 0) == 0;
}
