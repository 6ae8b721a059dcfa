namespace TaskRecovery.Workers;

/// <summary>Delays between attempts.</summary>
internal static class RetryPolicy
{
    private const double Jitter = 0.2;

    /// <summary>The delay before the next attempt of an entry. It doubles with every failure up to <see cref="WorkerOptions.RetryMax"/>,
    /// with 20 % jitter, so that entries that failed together are not retried together.</summary>
    /// <param name="attempt">The number of the failed attempt, starting at 1.</param>
    /// <param name="options">The shortest and the longest delay.</param>
    /// <param name="random">A random number from 0 to 1.</param>
    public static TimeSpan Delay(int attempt, WorkerOptions options, double random)
    {
        var doublings = Math.Min(attempt - 1, 40);
        var wait = Math.Min(options.RetryBase.TotalSeconds * Math.Pow(2, doublings), options.RetryMax.TotalSeconds);
        return TimeSpan.FromSeconds(wait * (1 - Jitter + (2 * Jitter * random)));
    }

    /// <summary>The delay of a loop whose store does not answer: 50 ms at first, doubled with every failure up to 1 second, with 20 %
    /// jitter.</summary>
    public static TimeSpan Backoff(int failures, double random)
        => TimeSpan.FromMilliseconds(Math.Min(50 * Math.Pow(2, Math.Min(failures - 1, 10)), 1_000) * (1 - Jitter + (2 * Jitter * random)));
}
