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
    // Ten nodes that run a loop for the whole store look ten times as often as one, which is often enough.
    private const int EnoughNodes = 10;
    private const int MostIntervals = 6;

    // A timer may fire a little early. The round after it must not follow at once.
    private const int LeastPart = 10;

    private readonly long _created = Time.GetTimestamp();

    /// <summary>After how many intervals, on average, each of several nodes runs a loop that serves the whole store. All of them together
    /// run it ten times in an interval or more often, if there are so many.</summary>
    /// <param name="nodes">How many nodes are alive.</param>
    public static int MeanIntervals(int nodes) => Math.Clamp(nodes / EnoughNodes, 1, MostIntervals);

    /// <summary>After how many intervals this node runs such a loop again: at random, so that nodes which were started together do not run
    /// it together.</summary>
    /// <param name="nodes">How many nodes are alive.</param>
    /// <param name="random">A random number from 0 to below 1.</param>
    public static int Intervals(int nodes, double random) => 1 + (int)(random * ((2 * MeanIntervals(nodes)) - 1));

    /// <summary>As <see cref="UntilNext"/>, for a loop that serves the whole store: some intervals later in a fleet.</summary>
    public TimeSpan UntilNextOfFleet(TimeSpan interval)
        => UntilNext(interval) + (interval * (Intervals(Fleet?.NodesAlive ?? 1, Random.Shared.NextDouble()) - 1));

    /// <summary>Returns the wait until the next multiple of an interval, counted from the creation of this object. Loops whose intervals
    /// are multiples of each other then wake at the same moment: waking the threads of an idle process costs more than a round.</summary>
    public TimeSpan UntilNext(TimeSpan interval)
    {
        var next = interval - TimeSpan.FromTicks(Time.GetElapsedTime(_created).Ticks % interval.Ticks);
        return next >= interval / LeastPart ? next : next + interval;
    }
}
