namespace TaskRecovery.Workers;

/// <summary>Decides how many entries a queue's claimer asks for.</summary>
internal static class ClaimPlan
{
    /// <summary>The most that is claimed ahead when the options leave it open.</summary>
    internal const int MostAhead = 2_000;

    // What is claimed ahead is what this process finishes in this time, so that nothing waits here that could run elsewhere.
    private static readonly TimeSpan Ahead = TimeSpan.FromMilliseconds(100);

    /// <summary>How many to claim ahead.</summary>
    /// <param name="configured">The option; <see langword="null"/> leaves it to the rate.</param>
    /// <param name="finishedPerSecond">How fast entries of this queue end here.</param>
    public static int Prefetch(int? configured, double finishedPerSecond)
        => configured ?? (int)Math.Min(finishedPerSecond * Ahead.TotalSeconds, MostAhead);

    /// <summary>How many to ask for now; 0 to wait until more is free.</summary>
    /// <param name="concurrency">How many may run.</param>
    /// <param name="prefetch">How many more may be held.</param>
    /// <param name="running">How many run.</param>
    /// <param name="waiting">How many are held and have not started.</param>
    public static int Limit(int concurrency, int prefetch, int running, int waiting)
    {
        var room = concurrency + prefetch - running - waiting;
        if (room <= 0)
        {
            return 0;
        }

        // With nothing to do for an executor the claim goes at once; else it waits until it is worth a round trip.
        return running + waiting < concurrency || room >= prefetch / 2 ? room : 0;
    }

    /// <summary>How long a claimer waits for the next due time: never for nothing, and never longer than a timer can.</summary>
    public static TimeSpan? Wait(TimeSpan? nextDue)
        => nextDue is { } wait ? TimeSpan.FromTicks(Math.Clamp(wait.Ticks, TimeSpan.TicksPerMillisecond, TimeSpan.TicksPerHour)) : null;

    /// <summary>The rate after one more measurement.</summary>
    public static double Rate(double before, int finished, TimeSpan elapsed)
        => (before + (finished / Math.Max(elapsed.TotalSeconds, 0.0001))) / 2;
}
