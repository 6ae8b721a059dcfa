namespace TaskRecovery.Hosting;

/// <summary>What every <see cref="StoreLoop"/> needs.</summary>
/// <param name="Gate">A loop begins when this gate opens.</param>
/// <param name="Role">A loop runs only in a process that runs entries.</param>
/// <param name="Outages">Reports rounds that fail.</param>
/// <param name="Time">The clock for waits.</param>
/// <param name="Fleet">How many nodes run the same loops; <see langword="null"/> for one.</param>
internal sealed record StoreLoopServices(
    StartupGate Gate, INodeRole Role, OutageReporter Outages, TimeProvider Time, IFleet? Fleet = null)
{
    // Ten nodes that run a loop for the whole store run it ten times as often as one, which is often enough.
    private const int EnoughNodes = 10;
    private const int MostIntervals = 6;

    // A timer may fire a little early. The round after it must not follow at once.
    private const int LeastPart = 10;

    private readonly long _created = Time.GetTimestamp();

    /// <summary>After how many intervals, on average, each of several nodes runs a loop that serves the whole store. All of them together
    /// run it ten times in an interval or more often, if there are so many.</summary>
    /// <param name="nodes">How many nodes are alive.</param>
    public static int MeanIntervals(int nodes) => Math.Clamp(nodes / EnoughNodes, 1, MostIntervals);

    /// <summary>Whether this node lets a round of such a loop pass: at random, so that nodes which were started together do not run it
    /// together.</summary>
    /// <param name="nodes">How many nodes are alive.</param>
    /// <param name="random">A random number from 0 to below 1.</param>
    public static bool SkipsRound(int nodes, double random) => random * MeanIntervals(nodes) >= 1;

    /// <summary>Whether this node lets the round that is due pass. Decided anew for each round, because a fleet may have shrunk to this
    /// node since the last one.</summary>
    public bool SkipsRound() => SkipsRound(Fleet?.NodesAlive ?? 1, Random.Shared.NextDouble());

    /// <summary>Returns the wait until the next multiple of an interval, counted from the creation of this object. Loops whose intervals
    /// are multiples of each other then wake at the same moment: waking the threads of an idle process costs more than a round.</summary>
    public TimeSpan UntilNext(TimeSpan interval)
    {
        var next = interval - TimeSpan.FromTicks(Time.GetElapsedTime(_created).Ticks % interval.Ticks);
        return next >= interval / LeastPart ? next : next + interval;
    }
}
