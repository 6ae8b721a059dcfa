using TaskRecovery.Hosting;

namespace TaskRecovery.Tests.Hosting;

/// <summary>How long a repeated call waits.</summary>
public sealed class BackoffTests
{
    [Theory]
    [InlineData(0, 50)]
    [InlineData(1, 50)]
    [InlineData(2, 100)]
    [InlineData(5, 800)]
    [InlineData(6, 1_000)]
    [InlineData(int.MaxValue, 1_000)]
    public void A_wait_doubles_with_every_failure_up_to_the_longest(int failures, double milliseconds)
        => Assert.Equal(milliseconds, Backoff.OfCalls.After(failures).TotalMilliseconds);

    [Theory]
    [InlineData(0.0, 800)]
    [InlineData(0.5, 1_000)]
    [InlineData(1.0, 1_200)]
    public void Jitter_changes_it_by_a_fifth(double random, double milliseconds)
        => Assert.Equal(milliseconds, Backoff.OfCalls.After(10, random).TotalMilliseconds, 3);
}
