using TaskRecovery.Claims;
using TaskRecovery.Workers;

namespace TaskRecovery.Tests.Claims;

/// <summary>How many entries are claimed, and how long failed ones wait.</summary>
public sealed class ClaimPlanTests
{
    [Theory]
    [InlineData(20, 0, 0, 0, 20)]
    [InlineData(20, 0, 20, 0, 0)]
    [InlineData(20, 0, 19, 0, 1)]
    [InlineData(20, 100, 20, 100, 0)]
    [InlineData(20, 100, 20, 60, 0)]
    [InlineData(20, 100, 20, 50, 50)]
    [InlineData(20, 100, 5, 0, 115)]
    public void A_claim_waits_until_it_is_worth_a_round_trip_unless_an_executor_is_idle(
        int concurrency, int prefetch, int running, int waiting, int limit)
        => Assert.Equal(limit, ClaimPlan.Limit(concurrency, prefetch, running, waiting));

    [Theory]
    [InlineData(null, 0.0, 0)]
    [InlineData(null, 5.0, 0)]
    [InlineData(null, 1_000.0, 100)]
    [InlineData(null, 1_000_000.0, 2_000)]
    [InlineData(7, 1_000_000.0, 7)]
    public void What_is_claimed_ahead_follows_the_rate_unless_it_is_configured(int? configured, double rate, int prefetch)
        => Assert.Equal(prefetch, ClaimPlan.Prefetch(configured, rate));

    [Theory]
    [InlineData(0.0, 0)]
    [InlineData(20.0, 0)]
    [InlineData(1_000.0, 40)]
    [InlineData(8_000.0, 320)]
    [InlineData(1_000_000.0, 500)]
    public void What_begins_early_has_a_slot_within_40_ms_and_fits_one_transaction(double rate, int early)
        => Assert.Equal(early, ClaimPlan.Early(rate));

    [Theory]
    [InlineData(-5, 1)]
    [InlineData(250, 250)]
    [InlineData(60L * 24 * 3_600_000, 3_600_000)]
    public void A_claimer_never_waits_for_nothing_nor_longer_than_a_timer_can(long dueMilliseconds, long waitMilliseconds)
        => Assert.Equal(waitMilliseconds, ClaimPlan.Wait(TimeSpan.FromMilliseconds(dueMilliseconds))!.Value.TotalMilliseconds);

    [Theory]
    [InlineData(1, 50, 1.0, 0)]
    [InlineData(8, 50, 1.0, 0)]
    [InlineData(16, 50, 0.5, 100)]
    [InlineData(80, 5, 0.0, 0)]
    [InlineData(80, 5, 0.5, 50)]
    [InlineData(80, 5, 1.0, 100)]
    [InlineData(80, 30_000, 0.5, 1_000)]
    public void The_rest_of_a_node_grows_with_the_fleet_and_with_the_time_that_a_claim_takes(
        int nodes, int tookMilliseconds, double random, int restMilliseconds)
        => Assert.Equal(
            restMilliseconds, ClaimPlan.Rest(nodes, TimeSpan.FromMilliseconds(tookMilliseconds), random).TotalMilliseconds, 3);

    [Theory]
    [InlineData(1, 0.5, 1)]
    [InlineData(2, 0.5, 2)]
    [InlineData(4, 0.5, 8)]
    [InlineData(1, 0.0, 0.8)]
    [InlineData(1, 1.0, 1.2)]
    [InlineData(900, 0.5, 3_600)]
    public void The_wait_before_an_attempt_doubles_up_to_the_longest_with_jitter(int attempt, double random, double seconds)
        => Assert.Equal(seconds, RetryPolicy.Delay(attempt, new WorkerOptions(), random).TotalSeconds, 3);
}
