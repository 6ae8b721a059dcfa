namespace TaskRecovery.Hosting;

/// <summary>How long to wait after consecutive failures: the first wait doubles with every further failure, up to the longest
/// wait.</summary>
internal readonly record struct Backoff(TimeSpan First, TimeSpan Longest)
{
    private const double Jitter = 0.2;

    // More doublings reach the longest wait anyway, and the product still fits into a double.
    private const int MostDoublings = 40;

    /// <summary>Between repetitions of a call of the store for which entries or callers wait.</summary>
    public static Backoff OfCalls { get; } = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1));

    /// <summary>The wait after so many consecutive failures.</summary>
    public TimeSpan After(int failures)
    {
        var wait = First.TotalSeconds * Math.Pow(2, Math.Clamp(failures - 1, 0, MostDoublings));
        return wait < Longest.TotalSeconds ? TimeSpan.FromSeconds(wait) : Longest;
    }

    /// <summary>The wait after so many consecutive failures, with 20 % jitter, so that calls that failed together are not repeated
    /// together.</summary>
    /// <param name="failures">How many attempts have failed since the last success.</param>
    /// <param name="random">A random number from 0 to 1.</param>
    public TimeSpan After(int failures, double random) => After(failures) * (1 - Jitter + (2 * Jitter * random));
}
