using TaskRecovery.Hosting;

namespace TaskRecovery.Claims;

/// <summary>Decides when the claimer of a queue attempts to claim, and whether it begins at the front of the queue. Only
/// <see cref="Wake"/>, <see cref="WakeByHint"/> and <see cref="IsWoken"/> may be called concurrently with the claimer.</summary>
/// <param name="signal">Wakes the claimer.</param>
/// <param name="time">The clock.</param>
/// <param name="patience">Returns how long new entries are left to other nodes: zero if this node serves the queue, and
/// <see langword="null"/> if its claimer does not wait for them at all.</param>
internal sealed class ClaimTimer(Signal signal, TimeProvider time, Func<TimeSpan?> patience)
{
    // A claim from the front of the queue reads past every row version that an old snapshot keeps alive. This interval is short enough to
    // find entries promptly, and long enough to be cheap.
    internal static readonly TimeSpan RewindInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>The pause between claim attempts that only hints asked for, after several that found nothing. Any login of the database can
    /// send any number of hints.</summary>
    internal static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(20);

    // With several listening nodes, most hints lead one of them to work and the others to nothing. So the first empty attempts delay the
    // next hint only a little: 2 ms after one, twice as long after each further one. These are lower limits: on Linux, the clock of the
    // runtime's timers moves every 4 ms, so a wait of 2 ms takes up to 6 ms.
    private const int ManyEmptyAttempts = 5;

    private readonly Lock _gate = new();
    private bool _isWoken = true;
    private bool _isOnlyHinted;
    private bool _owesHint;
    private long _hintedAt;
    private TimeSpan _patience;
    private long? _lastEmptyAt;
    private int _emptyAttempts;
    private bool _isFromFront = true;
    private bool _isOwed;
    private TimeSpan? _nextDue;
    private long _rewoundAt;
    private bool _wasFull;
    private bool _owesRewind;

    /// <summary>Whether the claimer was woken and has not begun an attempt yet.</summary>
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
    public void Wake(bool fromFront) => WakeUp(fromFront, isOwed: false);

    /// <summary>Wakes the claimer because a hint has arrived: at once, or a little later if the attempt after an earlier hint has just
    /// found nothing, or if another node serves the queue.</summary>
    public void WakeByHint()
    {
        lock (_gate)
        {
            if (_isWoken || _owesHint)
            {
                return;
            }

            // The claimer has to be signalled in both cases: if it is already waiting, it waits too long.
            (_hintedAt, _patience) = (time.GetTimestamp(), patience() ?? TimeSpan.Zero);
            _owesHint = UntilHint() > TimeSpan.Zero;
            _isWoken = _isOnlyHinted = !_owesHint;
        }

        signal.Set();
    }

    /// <summary>Waits until the next attempt is due although nothing wakes the claimer, or until the signal is set.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        var (wait, reason) = UntilNextAttempt();
        if (await signal.WaitAsync(wait, time, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        if (reason == Reason.Hint)
        {
            EndPause();
            return;
        }

        _nextDue = null;
        WakeUp(fromFront: true, isOwed: reason is Reason.OwedRewind or Reason.LeftEntry);
    }

    /// <summary>Begins a claim attempt.</summary>
    public ClaimAttempt Begin()
    {
        lock (_gate)
        {
            var attempt = new ClaimAttempt(_isFromFront, _isOnlyHinted, _isOwed);
            _isWoken = _isFromFront = _isOnlyHinted = _isOwed = _owesHint = false;
            return attempt;
        }
    }

    /// <summary>Ends a claim attempt.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="foundWork">Whether it found an entry.</param>
    public void End(ClaimAttempt attempt, bool foundWork)
    {
        lock (_gate)
        {
            if (foundWork)
            {
                (_emptyAttempts, _lastEmptyAt) = (_emptyAttempts / 2, null);
            }
            else if (attempt.IsOnlyHinted)
            {
                (_emptyAttempts, _lastEmptyAt) = (Math.Min(_emptyAttempts + 1, ManyEmptyAttempts), time.GetTimestamp());
                if (_isOnlyHinted)
                {
                    // A hint that arrived during this attempt waits for the pause after it too.
                    (_isWoken, _isOnlyHinted, _owesHint) = (false, false, true);
                }
            }
        }
    }

    /// <summary>Whether this attempt starts at the front of the queue.</summary>
    public bool ShouldRewind(bool fromFront)
    {
        // While claims return full batches, there is more behind the cursor. An entry before the cursor sends its own wake, or is found by
        // the store's own scans.
        _owesRewind = !fromFront && (_wasFull || time.GetElapsedTime(_rewoundAt) <= RewindInterval);
        if (!_owesRewind)
        {
            _rewoundAt = time.GetTimestamp();
        }

        return !_owesRewind;
    }

    /// <summary>Records the result of a claim. After a full batch, the claimer claims again as soon as there is room.</summary>
    public void Claimed(TimeSpan? nextDue, bool wasFull)
    {
        _nextDue = ClaimPlan.Wait(nextDue);
        _wasFull = wasFull;
        if (wasFull)
        {
            Wake(fromFront: false);
        }
    }

    private void WakeUp(bool fromFront, bool isOwed)
    {
        lock (_gate)
        {
            _isWoken = true;
            _isOnlyHinted = false;
            if (fromFront)
            {
                _isOwed = isOwed && !_isFromFront;
                _isFromFront = true;
            }
        }

        signal.Set();
    }

    // An entry may be committed before the cursor and wake the claimer too soon after the last attempt from the front. It is found when the
    // next such attempt is due.
    private (TimeSpan Wait, Reason Reason) UntilNextAttempt()
    {
        var next = UntilNextDue();
        if (_owesRewind)
        {
            next = Earlier(next, RewindInterval - time.GetElapsedTime(_rewoundAt), Reason.OwedRewind);
        }

        lock (_gate)
        {
            return _owesHint ? Earlier(next, UntilHint(), Reason.Hint) : next;
        }
    }

    private (TimeSpan Wait, Reason Reason) UntilNextDue()
    {
        if (_nextDue is not { } due)
        {
            return (Timeout.InfiniteTimeSpan, Reason.NextDue);
        }

        // What a claim could not take is left to no other node.
        var left = ClaimPlan.IsForMore(due) ? TimeSpan.Zero : patience();
        return left switch
        {
            null => (Timeout.InfiniteTimeSpan, Reason.NextDue),
            { Ticks: > 0 } => (due + left.Value, Reason.LeftEntry),
            _ => (due, Reason.NextDue),
        };
    }

    private static (TimeSpan Wait, Reason Reason) Earlier((TimeSpan Wait, Reason Reason) next, TimeSpan other, Reason reason)
    {
        other = other > TimeSpan.Zero ? other : TimeSpan.Zero;
        return next.Wait == Timeout.InfiniteTimeSpan || other < next.Wait ? (other, reason) : next;
    }

    private TimeSpan UntilHint()
    {
        var pause = _lastEmptyAt is { } at ? Pause() - time.GetElapsedTime(at) : TimeSpan.Zero;
        var rest = _patience - time.GetElapsedTime(_hintedAt);
        return rest > pause ? rest : pause;
    }

    private TimeSpan Pause()
        => _emptyAttempts < ManyEmptyAttempts ? TimeSpan.FromMilliseconds(1 << _emptyAttempts) : LongestPause;

    private void EndPause()
    {
        lock (_gate)
        {
            if (_owesHint)
            {
                _isOnlyHinted |= !_isWoken;
                _isWoken = true;
                _owesHint = false;
            }
        }
    }

    /// <summary>An attempt to claim: one call of the store, or two. Says why it is made.</summary>
    /// <param name="FromFront">Whether it was woken to claim from the front of the queue.</param>
    /// <param name="IsOnlyHinted">Whether nothing but hints woke it.</param>
    /// <param name="IsOwed">Whether it begins at the front only because an earlier attempt did not, or because another node may have left
    /// something. Then one claim that finds nothing is enough.</param>
    internal readonly record struct ClaimAttempt(bool FromFront, bool IsOnlyHinted, bool IsOwed);

    /// <summary>What a wait ends with.</summary>
    private enum Reason
    {
        /// <summary>An entry becomes due.</summary>
        NextDue,

        /// <summary>The time for which an entry that became due was left to another node is over.</summary>
        LeftEntry,

        /// <summary>An attempt from the front is due, because an earlier one did not begin there.</summary>
        OwedRewind,

        /// <summary>The pause before an attempt that a hint asked for is over.</summary>
        Hint,
    }
}
