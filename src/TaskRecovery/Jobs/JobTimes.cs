namespace TaskRecovery.Jobs;

/// <summary>Wait times of jobs.</summary>
internal static class JobTimes
{
    /// <summary>How long a missed run waits while the previous run is still running: a quarter of the interval, at least 1 second and at
    /// most 15 seconds.</summary>
    public static TimeSpan WaitFor(TimeSpan? interval)
        => TimeSpan.FromTicks(Math.Clamp((interval ?? TimeSpan.Zero).Ticks / 4, TimeSpan.TicksPerSecond, 15 * TimeSpan.TicksPerSecond));
}
