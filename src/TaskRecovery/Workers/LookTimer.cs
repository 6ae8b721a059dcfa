using TaskRecovery.Hosting;

namespace TaskRecovery.Workers;

/// <summary>Decides when the claimer of a queue looks for entries, and whether it looks from the front of the queue. Only
/// <see cref="Wake"/> and <see cref="IsWoken"/> may be called concurrently with the claimer.</summary>
internal sealed class LookTimer(Signal signal, TimeProvider time)
{
    // Looking from the front of the queue reads past every row version that an old snapshot keeps alive. This interval is short enough to
    // find entries promptly, and long enough to be cheap.
    internal static readonly TimeSpan RewindInterval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private bool _isWoken = true;
    private bool _isFromFront = true;
    private TimeSpan? _nextDue;
    private long _rewoundAt;
    private bool _wasFull;
    private bool _owesLook;

    /// <summary>Whether the claimer was woken and has not looked yet.</summary>
    public bool IsWoken
    {
        get
        {
            lock (_gate)
            {
                return _isWoken;
            }
        }
    }

    /// <summary>Wakes the claimer.</summary>
    /// <param name="fromFront">Whether there may be new entries before the position of the last claim.</param>
    public void Wake(bool fromFront)
    {
        lock (_gate)
        {
            _isWoken = true;
            _isFromFront |= fromFront;
        }

        signal.Set();
    }

    /// <summary>Waits until the claimer is to look again without having been woken, or until the signal is set.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        if (!await signal.WaitAsync(UntilNextLook(), time, cancellationToken).ConfigureAwait(false))
        {
            _nextDue = null;
            Wake(fromFront: true);
        }
    }

    /// <summary>Begins a look.</summary>
    /// <returns>Whether the claimer was woken to look from the front of the queue.</returns>
    public bool Begin()
    {
        lock (_gate)
        {
            var fromFront = _isFromFront;
            _isWoken = _isFromFront = false;
            return fromFront;
        }
    }

    /// <summary>Whether this look starts at the front of the queue.</summary>
    public bool ShouldRewind(bool fromFront)
    {
        // While claims return full batches, there is more behind the cursor. An entry before the cursor sends its own wake, or is found by
        // the store's own scans.
        _owesLook = !fromFront && (_wasFull || time.GetElapsedTime(_rewoundAt) <= RewindInterval);
        if (!_owesLook)
        {
            _rewoundAt = time.GetTimestamp();
        }

        return !_owesLook;
    }

    /// <summary>Records the result of a look. After a full batch, the claimer looks again as soon as there is room.</summary>
    public void Looked(TimeSpan? nextDue, bool wasFull)
    {
        _nextDue = ClaimPlan.Wait(nextDue);
        _wasFull = wasFull;
        if (wasFull)
        {
            Wake(fromFront: false);
        }
    }

    // An entry may be committed before the cursor and wake the claimer too soon after the last look from the front. It is found when the
    // next such look is due.
    private TimeSpan UntilNextLook()
    {
        var next = _nextDue ?? Timeout.InfiniteTimeSpan;
        if (!_owesLook)
        {
            return next;
        }

        var owed = RewindInterval - time.GetElapsedTime(_rewoundAt);
        owed = owed > TimeSpan.Zero ? owed : TimeSpan.Zero;
        return next == Timeout.InfiniteTimeSpan || owed < next ? owed : next;
    }
}
