using TaskRecovery.Storage;

namespace TaskRecovery.Claims;

/// <summary>Limits how many suspects this process may claim, over all of its queues. The limit is per process, because a crash ends all
/// entries of the process.</summary>
internal sealed class SuspectLimiter(int maxCrashes, TimeProvider time)
{
    /// <summary>How many suspects may be claimed or running at once.</summary>
    internal const int MostSuspects = 32;

    // If suspects keep arriving and a last chance waits, no more of them are allowed after this time, until it has had its turn.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    // How often a queue is asked for last chances.
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(1);

    // Which queues were asked, when, and whether a last chance waited there.
    private readonly Dictionary<string, (long At, bool Waits)> _asked = new(StringComparer.Ordinal);

    private readonly Lock _gate = new();
    private int _suspects;
    private int _lastChances;
    private bool _isTurnOfLastChance;
    private long _lastAskedAt = time.GetTimestamp();
    private long _askedBeforeAt;

    /// <summary>Classifies an entry by its number of crashes.</summary>
    public Suspicion Of(int crashes)
        => crashes >= maxCrashes ? Suspicion.LastChance : CrashLevels.IsSuspect(crashes) ? Suspicion.Suspect : Suspicion.None;

    /// <summary>The number of crashes from which on an entry is at its last chance.</summary>
    public int MaxCrashes => maxCrashes;

    /// <summary>Returns whether the next claim depends on whether a last chance waits in a queue, and this is not known.</summary>
    public bool BeginAsking(string queue)
    {
        lock (_gate)
        {
            if (_lastChances > 0 || _suspects == 0 || !IsLate())
            {
                return false;
            }

            var now = time.GetTimestamp();
            var isKnown = _asked.TryGetValue(queue, out var last);
            if (isKnown && time.GetElapsedTime(last.At, now) < AskInterval)
            {
                return false;
            }

            _asked[queue] = (now, last.Waits);
            return true;
        }
    }

    /// <summary>Records whether a last chance waits in a queue.</summary>
    public void EndAsking(string queue, bool waits)
    {
        lock (_gate)
        {
            _asked[queue] = (time.GetTimestamp(), waits);
        }
    }

    /// <summary>Reserves places for the suspects that the next claim of a queue may return. They stay reserved until
    /// <see cref="Commit"/>.</summary>
    public SuspectAllowance Reserve(string queue)
    {
        lock (_gate)
        {
            if (_lastChances > 0)
            {
                return new SuspectAllowance(maxCrashes, 0, 0);
            }

            if (_isTurnOfLastChance)
            {
                if (_suspects == 0)
                {
                    if (IsLastChanceKnown() && !(_asked.TryGetValue(queue, out var own) && IsWaiting(own)))
                    {
                        // The turn is that of the queue in which a last chance waits.
                        return new SuspectAllowance(maxCrashes, 0, 0);
                    }

                    _isTurnOfLastChance = false;
                    _askedBeforeAt = _lastAskedAt;
                    _lastAskedAt = time.GetTimestamp();
                    _asked.Remove(queue);
                    _lastChances++;
                    return new SuspectAllowance(maxCrashes, 0, 1);
                }

                if (IsLate() && IsLastChanceKnown())
                {
                    return new SuspectAllowance(maxCrashes, 0, 0);
                }
            }

            _isTurnOfLastChance = true;
            var places = Math.Max(MostSuspects - _suspects, 0);
            _suspects += places;
            return new SuspectAllowance(maxCrashes, places, 0);
        }
    }

    private bool IsLate() => _isTurnOfLastChance && time.GetElapsedTime(_lastAskedAt) > LongestWait;

    private bool IsLastChanceKnown() => _asked.Values.Any(IsWaiting);

    // Another node may have taken it meanwhile, and a queue without due entries is not asked again.
    private bool IsWaiting((long At, bool Waits) asked) => asked.Waits && time.GetElapsedTime(asked.At) <= LongestWait;

    /// <summary>Releases the reserved places that a claim did not fill. The others stay occupied until <see cref="Release"/>.</summary>
    public void Commit(SuspectAllowance asked, int suspects, int lastChances)
    {
        lock (_gate)
        {
            _suspects += suspects - asked.Suspects;
            _lastChances += lastChances - asked.LastChances;
            if (lastChances < asked.LastChances && IsLastChanceKnown())
            {
                // The claim found none. It was not the turn of the queue in which another one waits.
                _isTurnOfLastChance = true;
                _lastAskedAt = _askedBeforeAt;
            }
        }
    }

    /// <summary>Releases the place of a suspect whose outcome is stored.</summary>
    public void Release(Suspicion suspicion)
    {
        if (suspicion == Suspicion.None)
        {
            return;
        }

        lock (_gate)
        {
            switch (suspicion)
            {
                case Suspicion.Suspect: _suspects--; break;
                case Suspicion.LastChance: _lastChances--; break;
                default: break;
            }
        }
    }
}
