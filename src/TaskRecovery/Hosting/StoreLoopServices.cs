namespace TaskRecovery.Hosting;

/// <summary>What every <see cref="StoreLoop"/> needs.</summary>
/// <param name="Gate">A loop begins when this gate opens.</param>
/// <param name="Role">A loop runs only in a process that runs entries.</param>
/// <param name="Outages">Reports rounds that fail.</param>
/// <param name="Time">The clock for waits.</param>
internal sealed record StoreLoopServices(StartupGate Gate, INodeRole Role, OutageReporter Outages, TimeProvider Time)
{
    // A timer may fire a little early. The round after it must not follow at once.
    private const int LeastPart = 10;

    private readonly long _created = Time.GetTimestamp();

    /// <summary>Returns the wait until the next multiple of an interval, counted from the creation of this object. Loops whose intervals
    /// are multiples of each other then wake at the same moment: waking the threads of an idle process costs more than a round.</summary>
    public TimeSpan UntilNext(TimeSpan interval)
    {
        var next = interval - TimeSpan.FromTicks(Time.GetElapsedTime(_created).Ticks % interval.Ticks);
        return next >= interval / LeastPart ? next : next + interval;
    }
}
