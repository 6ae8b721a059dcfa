using TaskRecovery.Hosting;

namespace TaskRecovery.Workers;

/// <summary>Delays between the attempts of an entry.</summary>
internal static class RetryPolicy
{
    /// <summary>The delay before the next attempt of an entry. It doubles with every failure up to <see cref="WorkerOptions.RetryMax"/>,
    /// with 20 % jitter, so that entries that failed together are not retried together.</summary>
    /// <param name="attempt">The number of the failed attempt, starting at 1.</param>
    /// <param name="options">The shortest and the longest delay.</param>
    /// <param name="random">A random number from 0 to 1.</param>
    public static TimeSpan Delay(int attempt, WorkerOptions options, double random)
        => new Backoff(options.RetryBase, options.RetryMax).After(attempt, random);
}
