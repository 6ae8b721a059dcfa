namespace TaskRecovery.Claims;

/// <summary>Decides how many entries the claimer of a queue requests.</summary>
internal static class ClaimPlan
{
    /// <summary>The maximum to claim ahead when the options do not set it.</summary>
    internal const int MostAhead = 2_000;

    // So that a claimer does not spin.
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    // Claim ahead only what this process finishes in this time, so that no entry waits here while another node could run it.
    private static readonly TimeSpan Ahead = TimeSpan.FromMilliseconds(100);

    // Begin early only what has a slot so soon that nothing is likely to change until then. Starts begin in groups of half of this time,
    // and a group has to be answered before the one before it has run: a transaction with two round trips and a wait for a slow disk takes
    // more than 10 ms while the machine is busy.
    private static readonly TimeSpan EarlyBy = TimeSpan.FromMilliseconds(40);

    // The starts of more runs than this do not share a transaction.
    private const int MostEarly = 500;

    // In a large fleet about so many nodes claim from a queue at once, beside those that listen.
    private const int ClaimersAtOnce = 8;

    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(1);

    /// <summary>How many entries to claim ahead.</summary>
    /// <param name="configured">The configured number; <see langword="null"/> to derive it from the rate.</param>
    /// <param name="finishedPerSecond">How many entries of this queue finish here per second.</param>
    public static int Prefetch(int? configured, double finishedPerSecond)
        => configured ?? (int)Math.Min(finishedPerSecond * Ahead.TotalSeconds, MostAhead);

    /// <summary>How many of the entries that were claimed ahead begin before they have a slot.</summary>
    /// <param name="finishedPerSecond">How many entries of this queue finish here per second.</param>
    public static int Early(double finishedPerSecond) => (int)Math.Min(finishedPerSecond * EarlyBy.TotalSeconds, MostEarly);

    /// <summary>How many entries to request now; 0 to wait for more room.</summary>
    /// <param name="concurrency">How many entries may run at once.</param>
    /// <param name="prefetch">How many more entries may be held.</param>
    /// <param name="running">How many entries run.</param>
    /// <param name="waiting">How many entries are held and have not started.</param>
    public static int Limit(int concurrency, int prefetch, int running, int waiting)
    {
        var room = concurrency + prefetch - running - waiting;
        if (room <= 0)
        {
            return 0;
        }

        // If an executor would be idle, claim at once; otherwise wait until a claim is large enough to be worth a round trip.
        return running + waiting < concurrency || room >= prefetch / 2 ? room : 0;
    }

    /// <summary>How long a claimer waits for the next due time: at least a millisecond, so that it does not spin, and at most an hour,
    /// which any timer supports.</summary>
    public static TimeSpan? Wait(TimeSpan? nextDue)
        => nextDue is { } wait ? TimeSpan.FromTicks(Math.Clamp(wait.Ticks, ShortestWait.Ticks, TimeSpan.TicksPerHour)) : null;

    /// <summary>Whether a <see cref="Wait"/> is so short because the last claim could not take all that it found.</summary>
    public static bool IsForMore(TimeSpan wait) => wait <= ShortestWait;

    /// <summary>How long a node rests after a claim or a poll beside those of other nodes, so that only a few of a large fleet do so at
    /// once. If all did, each would get a few entries only, and all of them would wait for the server. The slower the server, the longer
    /// the rest.</summary>
    /// <param name="nodes">How many nodes may claim from the queue.</param>
    /// <param name="took">How long the claim or the poll took.</param>
    /// <param name="random">A random number from 0 to 1.</param>
    public static TimeSpan Rest(int nodes, TimeSpan took, double random)
    {
        var rest = nodes > ClaimersAtOnce ? took * (2 * random * nodes / ClaimersAtOnce) : TimeSpan.Zero;
        return rest < LongestRest ? rest : LongestRest;
    }

    /// <summary>The rate per second, averaged with one more measurement.</summary>
    public static double Rate(double before, int finished, TimeSpan elapsed)
        => (before + (finished / Math.Max(elapsed.TotalSeconds, 0.0001))) / 2;
}
