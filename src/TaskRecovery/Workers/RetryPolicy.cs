namespace TaskRecovery.Workers;

/// <summary>How long to wait before the next attempt.</summary>
internal static class RetryPolicy
{
    private const double Jitter = 0.2;

    /// <summary>Doubles with every failure, up to the longest, with jitter so that what failed together does not come back together.</summary>
    /// <param name="attempt">The attempt that failed, from 1.</param>
    /// <param name="options">The first and the longest wait.</param>
    /// <param name="random">From 0 to 1.</param>
    public static TimeSpan Delay(int attempt, WorkerOptions options, double random)
    {
        var doublings = Math.Min(attempt - 1, 40);
        var wait = Math.Min(options.RetryBase.TotalSeconds * Math.Pow(2, doublings), options.RetryMax.TotalSeconds);
        return TimeSpan.FromSeconds(wait * (1 - Jitter + (2 * Jitter * random)));
    }

    /// <summary>The waits of a loop whose store does not answer: short at first, a second at most.</summary>
    public static TimeSpan Backoff(int failures, double random)
        => TimeSpan.FromMilliseconds(Math.Min(50 * Math.Pow(2, Math.Min(failures - 1, 10)), 1_000) * (1 - Jitter + (2 * Jitter * random)));
}
