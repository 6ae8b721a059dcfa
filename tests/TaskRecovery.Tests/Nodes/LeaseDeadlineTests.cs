using TaskRecovery.Nodes;

namespace TaskRecovery.Tests.Nodes;

/// <summary>A node stops before anyone else may begin. Times are in milliseconds: the lease is 15,000, the grace period 3,000.</summary>
public sealed class LeaseDeadlineTests
{
    private const long Lease = 15_000;
    private const long Grace = 3_000;

    [Theory]
    [InlineData(true, true, 2_500)]
    [InlineData(true, false, 12_000)]
    [InlineData(false, true, 12_000)]
    [InlineData(false, false, 12_000)]
    public void It_is_counted_from_when_the_accepted_heartbeat_was_sent(bool usesGrace, bool holdsLock, long expected)
    {
        var deadline = New(usesGrace).Sending(1_000, holdsLock).Acknowledged(1_000, holdsLock);

        Assert.Equal(1_000 + expected, deadline.At);
    }

    [Fact]
    public void A_heartbeat_under_way_that_reports_the_lock_as_held_may_have_been_stored_so_the_grace_counts_from_it()
    {
        var deadline = New().Acknowledged(0, holdsLock: false).Sending(1_000, holdsLock: true);

        Assert.Equal(3_500, deadline.At);
    }

    [Fact]
    public void A_heartbeat_under_way_that_reports_the_lock_as_not_held_gains_no_time()
    {
        var deadline = New().Acknowledged(0, holdsLock: true).Sending(1_000, holdsLock: false);

        Assert.Equal(2_500, deadline.At);
    }

    [Fact]
    public void A_node_that_has_held_the_lock_once_keeps_the_graces_deadline_as_an_old_heartbeat_may_still_be_carried_out()
    {
        var deadline = New().Sending(0, holdsLock: true).Sending(1_000, holdsLock: false).Acknowledged(1_000, holdsLock: false);

        Assert.Equal(3_500, deadline.At);
    }

    [Fact]
    public void The_first_heartbeat_in_doubt_counts_and_not_the_last()
    {
        var deadline = New().Acknowledged(0, holdsLock: false).Sending(1_000, holdsLock: true).Sending(3_000, holdsLock: true);

        Assert.Equal(3_500, deadline.At);
    }

    [Fact]
    public void A_refusal_that_proves_that_the_server_rejects_all_connections_moves_it_to_the_leases()
    {
        var deadline = New().Acknowledged(0, holdsLock: true).Sending(1_000, holdsLock: true).ServerRejectsAll();

        Assert.Equal(12_000, deadline.At);
    }

    [Fact]
    public void After_a_refusal_a_new_heartbeat_in_doubt_counts_again()
    {
        var deadline = New().Acknowledged(0, holdsLock: true).ServerRejectsAll().Sending(2_000, holdsLock: true);

        Assert.Equal(4_500, deadline.At);
    }

    [Fact]
    public void A_life_that_has_held_its_lock_stays_with_the_grace_because_an_abandoned_heartbeat_may_be_executed_late()
    {
        var deadline = New().Acknowledged(0, holdsLock: true).Sending(1_000, holdsLock: false).Acknowledged(1_000, holdsLock: false);

        Assert.Equal(3_500, deadline.At);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_is_lost_or_late_the_node_stops_before_others_may_act_on_what_was_stored(int seed)
    {
        var random = new Random(seed);
        var checks = 0;
        for (var run = 0; run < 2_000; run++)
        {
            var usesGrace = random.Next(4) > 0;
            var deadline = New(usesGrace).Acknowledged(0, holdsLock: true);
            var (storedAt, saysHeld) = (0L, true);
            List<bool> givenUp = [];
            for (long now = 200; now < 20_000; now += random.Next(1, 2_000))
            {
                var holds = random.Next(2) == 0;
                deadline = deadline.Sending(now, holds);
                Check();
                var delay = random.Next(0, 500);
                if (givenUp.Count > 0 && random.Next(4) == 0)
                {
                    (storedAt, saysHeld) = (now, givenUp[0]);
                    givenUp.RemoveAt(0);
                    Check();
                }

                if (random.Next(3) > 0)
                {
                    (storedAt, saysHeld) = (now + delay, holds);
                    Check();
                    if (random.Next(3) > 0)
                    {
                        deadline = deadline.Acknowledged(now, holds);
                    }
                }

                else
                {
                    givenUp.Add(holds);
                }

                Check();
                now += delay;
            }

            // At the earliest another saw the stored heartbeat the moment it was stored, with the lock free at once.
            void Check()
            {
                checks++;
                var othersAct = storedAt + (usesGrace && saysHeld ? Grace : Lease);
                Assert.True(deadline.At < othersAct, $"Seed {seed}, run {run}: own deadline {deadline.At}, others act at {othersAct}.");
            }
        }

        Assert.True(checks > 10_000);
    }

    private static LeaseDeadline New(bool usesGrace = true)
        => new(usesGrace, TimeSpan.FromMilliseconds(Lease), TimeSpan.FromMilliseconds(Grace), TicksPerSecond: 1_000);
}
