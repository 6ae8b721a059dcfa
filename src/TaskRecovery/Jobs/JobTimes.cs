namespace TaskRecovery.Jobs;

/// <summary>How long what belongs to a job waits.</summary>
internal static class JobTimes
{
    /// <summary>How long a missed run waits for the one before it: a quarter of the interval, from one second to fifteen.</summary>
    public static TimeSpan WaitFor(TimeSpan? interval)
        => TimeSpan.FromTicks(Math.Clamp((interval ?? TimeSpan.Zero).Ticks / 4, TimeSpan.TicksPerSecond, 15 * TimeSpan.TicksPerSecond));
}
