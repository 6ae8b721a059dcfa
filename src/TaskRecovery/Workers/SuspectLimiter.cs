using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>How suspect an entry is of having killed its nodes.</summary>
internal enum Suspicion
{
    /// <summary>Not: it never crashed, or once in company.</summary>
    None,

    /// <summary>Its node died under it twice or more: it runs among ever fewer suspects.</summary>
    Suspect,

    /// <summary>One crash more ends it: it runs as the only suspect of its node.</summary>
    LastChance,
}

/// <summary>Says how many suspects this process may claim, over all of its queues. What dies is a process, so company means process.</summary>
internal sealed class SuspectLimiter(int maxCrashes, TimeProvider time)
{
    /// <summary>How many suspects may be claimed or running at the same time.</summary>
    internal const int MostSuspects = 32;

    // While suspects come without end, room for a last chance is made after this long.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private int _suspects;
    private int _lastChances;
    private bool _isTurnOfLastChance;
    private long _lastAskedAt = time.GetTimestamp();

    /// <summary>How suspect an entry with so many crashes is.</summary>
    public Suspicion Of(int crashes)
        => crashes >= maxCrashes ? Suspicion.LastChance : crashes >= 2 ? Suspicion.Suspect : Suspicion.None;

    /// <summary>What the next claim may bring. The places are taken until <see cref="Commit"/>.</summary>
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

    /// <summary>Gives back the places that a claim did not fill, and keeps those that it did until <see cref="Release"/>.</summary>
    public void Commit(SuspectAllowance asked, int suspects, int lastChances)
    {
        lock (_gate)
        {
            _suspects += suspects - asked.Suspects;
            _lastChances += lastChances - asked.LastChances;
        }
    }

    /// <summary>The outcome of a suspect is stored.</summary>
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
