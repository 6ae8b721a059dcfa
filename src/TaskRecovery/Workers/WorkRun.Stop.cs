namespace TaskRecovery.Workers;

/// <summary>The token of a run. Its source belongs to the executor and is used again for the next run if it never fired.</summary>
internal sealed partial class WorkRun
{
    private CancellationTokenSource? _source;
    private long _startedAt;
    private long _stoppedAt;

    /// <summary>How long it has run.</summary>
    public TimeSpan Duration => shared.Time.GetElapsedTime(_startedAt);

    /// <summary>How long ago its token fired.</summary>
    public TimeSpan SinceStop => shared.Time.GetElapsedTime(Volatile.Read(ref _stoppedAt));

    /// <summary>Whether the log has said that it does not listen to its token.</summary>
    public bool IsReportedDeaf { get; set; }

    /// <summary>How long it may run; <see langword="null"/> for no limit.</summary>
    public TimeSpan? TimeLimit => Entry.Timeout ?? Kind.Options.Timeout;

    public void Begin(CancellationTokenSource source)
    {
        _source = source;
        _startedAt = shared.Time.GetTimestamp();
    }

    /// <summary>Fires the token, once, unless the run has ended.</summary>
    /// <returns><see langword="true"/> if this call did it.</returns>
    public bool Stop(StopReason reason)
    {
        if (Interlocked.CompareExchange(ref _state, (int)reason, 0) != 0)
        {
            return false;
        }

        Volatile.Write(ref _stoppedAt, shared.Time.GetTimestamp());
        if (_source is { } source)
        {
            _ = FireAsync(source);
        }

        return true;
    }

    /// <summary>Says that the handler has returned.</summary>
    /// <returns><see langword="true"/> if the token never fired and never will, so that its source may be used again.</returns>
    public bool TryEndUnstopped() => Interlocked.CompareExchange(ref _state, Ended, 0) == 0;

    // The token is cancelled at once; what is registered on it, the handler's next lines among it, runs on another thread, so that one handler can't keep others from being told.
    private static async Task FireAsync(CancellationTokenSource source)
    {
        try
        {
            await source.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException)
        {
            // A callback that the handler registered threw; every other callback has run.
        }
    }
}
