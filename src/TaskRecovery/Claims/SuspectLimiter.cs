using TaskRecovery.Storage;

namespace TaskRecovery.Claims;

/// <summary>Limits how many suspects this process may claim, over all of its queues. The limit is per process, because a crash ends all
/// entries of the process.</summary>
internal sealed class SuspectLimiter(int maxCrashes, TimeProvider time)
{
    /// <summary>How many suspects may be claimed or running at once.</summary>
    internal const int MostSuspects = 32;

    // If suspects keep arriving, no more of them are allowed after this time, until a last chance has had its turn.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private int _suspects;
    private int _lastChances;
    private bool _isTurnOfLastChance;
    private long _lastAskedAt = time.GetTimestamp();

    /// <summary>Classifies an entry by its number of crashes.</summary>
    public Suspicion Of(int crashes)
        => crashes >= maxCrashes ? Suspicion.LastChance : CrashLevels.IsSuspect(crashes) ? Suspicion.Suspect : Suspicion.None;

    /// <summary>Reserves places for the suspects that the next claim may return. They stay reserved until <see cref="Commit"/>.</summary>
    public SuspectAllowance Reserve()
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
                    _isTurnOfLastChance = false;
                    _lastAskedAt = time.GetTimestamp();
                    _lastChances++;
                    return new SuspectAllowance(maxCrashes, 0, 1);
                }

                if (time.GetElapsedTime(_lastAskedAt) > LongestWait)
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

    /// <summary>Releases the reserved places that a claim did not fill. The others stay occupied until <see cref="Release"/>.</summary>
    public void Commit(SuspectAllowance asked, int suspects, int lastChances)
    {
        lock (_gate)
        {
            _suspects += suspects - asked.Suspects;
            _lastChances += lastChances - asked.LastChances;
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
