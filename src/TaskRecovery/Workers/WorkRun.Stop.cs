using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>The cancellation token of a run. Its source belongs to the executor, which reuses it for the next run if the token was not
/// cancelled.</summary>
internal sealed partial class WorkRun
{
    private CancellationTokenSource? _source;
    private long _startedAt;
    private long _stoppedAt;

    /// <summary>How long the run has taken so far.</summary>
    public TimeSpan Duration => shared.Time.GetElapsedTime(_startedAt);

    /// <summary>How long ago the token was cancelled.</summary>
    public TimeSpan SinceStop => shared.Time.GetElapsedTime(Volatile.Read(ref _stoppedAt));

    /// <summary>Whether a log message has reported that the handler ignores its cancellation.</summary>
    public bool IsReportedUnresponsive { get; set; }

    /// <summary>How long the run may take; <see langword="null"/> for no limit.</summary>
    public TimeSpan? TimeLimit => Entry.Timeout ?? Kind.Options.Timeout;

    /// <summary>Cancelled when the host begins to stop.</summary>
    public CancellationToken Stopping => shared.Stopping;

    /// <summary>Ends the run as released if the host is stopping. Called when all progress so far is stored, so that the next run continues
    /// from here.</summary>
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
            CancelToken();
        }

        throw new OperationCanceledException(
            $"The host is stopping: this run of entry {Entry.Id} ends here, its checkpoint is stored, and the next run continues from it.",
            _source?.Token ?? default);
    }

    public void Begin(CancellationTokenSource source)
    {
        _source = source;
        _startedAt = shared.Time.GetTimestamp();
    }

    /// <summary>Cancels the token on a thread pool thread, which runs the callbacks. Does nothing if the token was cancelled before or the
    /// run has ended.</summary>
    public void Stop(StopReason reason)
    {
        if (TryStop(reason))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static run => run.CancelToken(), this, preferLocal: false);
        }
    }

    /// <summary>Records why the token is about to be cancelled.</summary>
    /// <returns><see langword="true"/> if the caller must call <see cref="CancelToken"/>; <see langword="false"/> if the token was
    /// cancelled before or the run has ended.</returns>
    public bool TryStop(StopReason reason)
    {
        if (Interlocked.CompareExchange(ref _state, (int)reason, 0) != 0)
        {
            return false;
        }

        Volatile.Write(ref _stoppedAt, shared.Time.GetTimestamp());
        return true;
    }

    /// <summary>Cancels the token on the current thread, which also runs the callbacks and may run continuations of the handler.</summary>
    public void CancelToken()
    {
        try
        {
            _source?.Cancel();
        }
        catch (AggregateException)
        {
            // A callback that the handler registered threw; all other callbacks have run.
        }
    }

    /// <summary>Marks the run as ended, so that its token can't be cancelled any more.</summary>
    /// <returns><see langword="true"/> if the token was never cancelled, so that its source may be reused.</returns>
    public bool TryEndUnstopped() => Interlocked.CompareExchange(ref _state, Ended, 0) == 0;
}
