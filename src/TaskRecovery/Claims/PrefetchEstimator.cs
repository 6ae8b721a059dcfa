namespace TaskRecovery.Claims;

/// <summary>Estimates how many entries of a queue to claim ahead, from the rate at which they finish here.</summary>
/// <param name="configured">The configured number; <see langword="null"/> to derive it from the rate.</param>
/// <param name="time">The monotonic clock.</param>
internal sealed class PrefetchEstimator(int? configured, TimeProvider time)
{
    private static readonly TimeSpan ShortestMeasurement = TimeSpan.FromMilliseconds(1);

    private volatile int _current;
    private volatile int _early;
    private int _finished;
    private int _finishedBefore;
    private int _finishedWhenStale = -1;
    private long _measuredAt = time.GetTimestamp();
    private double _rate;

    /// <summary>How many entries to claim ahead, as of the last measurement.</summary>
    public int Current => _current;

    /// <summary>How many of the entries that were claimed ahead will run in a few milliseconds, as of the last measurement.</summary>
    public int Early => _early;

    /// <summary>Counts an entry that has finished.</summary>
    public void CountFinished() => Interlocked.Increment(ref _finished);

    /// <summary>Claims nothing ahead until another entry has finished. Called when entries that were claimed ahead have waited too long;
    /// otherwise the same entries would be claimed and released repeatedly.</summary>
    public void PauseUntilNextFinish() => Volatile.Write(ref _finishedWhenStale, Volatile.Read(ref _finished));

    /// <summary>Measures the rate since the last measurement. Called by one thread at a time.</summary>
    public void Measure()
    {
        var elapsed = time.GetElapsedTime(_measuredAt);
        if (elapsed < ShortestMeasurement)
        {
            return;
        }

        var finished = Volatile.Read(ref _finished);
        _rate = ClaimPlan.Rate(_rate, finished - _finishedBefore, elapsed);
        var isStale = finished == Volatile.Read(ref _finishedWhenStale);
        _current = isStale ? 0 : ClaimPlan.Prefetch(configured, _rate);
        _early = isStale ? 0 : ClaimPlan.Early(_rate);
        _finishedBefore = finished;
        _measuredAt = time.GetTimestamp();
    }
}
