using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Nodes;

/// <summary>Who is dead: only who was watched in one unbroken session, by the watcher's own clock. Times here are in seconds: the lease is
/// 15, the grace period 3.</summary>
public sealed class PeerFailureDetectorTests
{
    private static readonly Guid Peer = Guid.NewGuid();

    [Fact]
    public void A_new_session_knows_nothing_and_declares_nobody_dead()
    {
        var watch = Watch();

        var dead = watch.Observe(0, 0, [Silent(beat: 7, says: true, held: false)]);

        Assert.Empty(dead);
    }

    [Fact]
    public void A_peer_without_a_heartbeat_for_a_whole_lease_is_dead()
    {
        var watch = Watch();
        ObserveEverySecond(watch, from: 0, until: 14, Silent(beat: 7, says: true, held: true));

        Assert.Empty(watch.Observe(14_999, 14_999, [Silent(beat: 7, says: true, held: true)]));
        var dead = watch.Observe(15_000, 15_000, [Silent(beat: 7, says: true, held: true)]);

        Assert.Equal(new DeathVerdict(
            new PeerHeartbeat(Peer, "peer", 7, true, true) { Proof = DeathProof.LeaseExpired }, ByGrace: false), Assert.Single(dead));
    }

    [Fact]
    public void A_lock_that_was_seen_held_and_is_free_is_death_after_the_grace()
    {
        var watch = Watch();
        watch.Observe(0, 0, [Silent(beat: 7, says: true, held: true)]);

        Assert.Empty(watch.Observe(1000, 1000, [Silent(beat: 7, says: true, held: false)]));
        Assert.Empty(watch.Observe(2999, 2999, [Silent(beat: 7, says: true, held: false)]));
        Assert.True(Assert.Single(watch.Observe(3000, 3000, [Silent(beat: 7, says: true, held: false)])).ByGrace);
    }

    [Fact]
    public void A_free_lock_that_was_never_seen_held_in_this_session_proves_nothing()
    {
        var watch = Watch();
        ObserveEverySecond(watch, from: 0, until: 14, Silent(beat: 7, says: true, held: false));

        Assert.Empty(watch.Observe(14_999, 14_999, [Silent(beat: 7, says: true, held: false)]));
        Assert.Single(watch.Observe(15_000, 15_000, [Silent(beat: 7, says: true, held: false)]));
    }

    [Fact]
    public void A_peer_that_joined_and_died_between_two_beats_is_dead_after_the_grace()
    {
        var watch = Watch();
        watch.Observe(0, 0, []);

        Assert.Empty(watch.Observe(1000, 1000, [Silent(beat: 0, says: true, held: false)]));
        Assert.Empty(watch.Observe(3999, 3999, [Silent(beat: 0, says: true, held: false)]));
        Assert.True(Assert.Single(watch.Observe(4000, 4000, [Silent(beat: 0, says: true, held: false)])).ByGrace);
    }

    [Fact]
    public void A_peer_that_joined_without_its_lock_has_the_whole_lease()
    {
        var watch = Watch();
        watch.Observe(0, 0, []);

        ObserveEverySecond(watch, from: 1, until: 15, Silent(beat: 0, says: false, held: false));

        Assert.Single(watch.Observe(16_000, 16_000, [Silent(beat: 0, says: false, held: false)]));
    }

    [Fact]
    public void A_peer_that_does_not_say_it_holds_its_lock_has_the_whole_lease()
    {
        var watch = Watch();
        watch.Observe(0, 0, [Silent(beat: 7, says: true, held: true)]);
        watch.Observe(1000, 1000, [Silent(beat: 8, says: false, held: false)]);

        ObserveEverySecond(watch, from: 2, until: 15, Silent(beat: 8, says: false, held: false));

        Assert.Single(watch.Observe(16_000, 16_000, [Silent(beat: 8, says: false, held: false)]));
    }

    [Fact]
    public void Without_session_locks_the_lease_alone_decides()
    {
        var watch = Watch(locks: false);
        watch.Observe(0, 0, [Silent(beat: 7, says: true, held: true)]);

        ObserveEverySecond(watch, from: 1, until: 14, Silent(beat: 7, says: true, held: false));

        Assert.Single(watch.Observe(15_000, 15_000, [Silent(beat: 7, says: true, held: false)]));
    }

    [Fact]
    public void Where_a_free_lock_proves_death_nobody_waits()
    {
        var watch = Watch(proves: true);

        var dead = watch.Observe(0, 0, [Silent(beat: 7, says: true, held: false)]);

        Assert.False(Assert.Single(dead).ByGrace);
    }

    [Fact]
    public void Where_a_free_lock_proves_death_a_held_one_still_has_a_lease()
    {
        var watch = Watch(proves: true);
        ObserveEverySecond(watch, from: 0, until: 14, Silent(beat: 7, says: true, held: true));

        Assert.Single(watch.Observe(15_000, 15_000, [Silent(beat: 7, says: true, held: true)]));
    }

    [Fact]
    public void A_beat_starts_the_count_anew()
    {
        var watch = Watch();
        watch.Observe(0, 0, [Silent(beat: 7, says: true, held: true)]);
        watch.Observe(2000, 2000, [Silent(beat: 8, says: true, held: false)]);

        Assert.Empty(watch.Observe(4999, 4999, [Silent(beat: 8, says: true, held: false)]));
        Assert.Single(watch.Observe(5000, 5000, [Silent(beat: 8, says: true, held: false)]));
    }

    [Fact]
    public void Silence_is_counted_from_an_answer_to_a_question()
    {
        var watch = Watch();
        watch.Observe(0, 500, [Silent(beat: 7, says: true, held: true)]);

        var dead = watch.Observe(3400, 4400, [Silent(beat: 7, says: true, held: false)]);

        Assert.Empty(dead);
    }

    [Fact]
    public void Who_was_stopped_itself_has_watched_nobody_meanwhile()
    {
        var watch = Watch();
        watch.Observe(0, 0, [Silent(beat: 7, says: true, held: true)]);

        Assert.Empty(watch.Observe(60_000, 60_000, [Silent(beat: 7, says: true, held: true)]));
        Assert.Empty(watch.Observe(61_000, 61_000, [Silent(beat: 7, says: true, held: false)]));
        Assert.Single(watch.Observe(63_000, 63_000, [Silent(beat: 7, says: true, held: false)]));
    }

    [Fact]
    public void The_next_decision_is_the_moment_the_grace_ends()
    {
        var watch = Watch();
        watch.Observe(0, 0, [Silent(beat: 7, says: true, held: true)]);
        Assert.Equal(15_000, watch.NextDecision(0));

        watch.Observe(1000, 1000, [Silent(beat: 7, says: true, held: false)]);

        Assert.Equal(3000, watch.NextDecision(1000));
        Assert.Null(watch.NextDecision(3000));
    }

    [Fact]
    public void A_verdict_by_the_grace_that_could_not_be_given_becomes_one_by_the_lease()
    {
        var watch = Watch();
        watch.Observe(0, 0, [Silent(beat: 7, says: true, held: true)]);
        for (var second = 3; second < 15; second++)
        {
            Assert.True(Assert.Single(watch.Observe(second * 1000, second * 1000, [Silent(beat: 7, says: true, held: false)])).ByGrace);
        }

        Assert.False(Assert.Single(watch.Observe(15_000, 15_000, [Silent(beat: 7, says: true, held: false)])).ByGrace);
    }

    [Fact]
    public void A_peer_that_is_gone_is_forgotten()
    {
        var watch = Watch();
        watch.Observe(0, 0, [Silent(beat: 7, says: true, held: true)]);

        watch.Observe(1000, 1000, []);

        Assert.Null(watch.NextDecision(1000));
    }

    private static PeerFailureDetector Watch(bool locks = true, bool proves = false)
        => new(
            new StoreTraits { System = "fake", UsesSessionLocks = locks, LockProvesDeath = proves, PollInterval = TimeSpan.FromSeconds(1) },
            TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(3), ticksPerSecond: 1000);

    private static PeerHeartbeat Silent(long beat, bool says, bool held) => new(Peer, "peer", beat, says, held);

    private static void ObserveEverySecond(PeerFailureDetector watch, int from, int until, PeerHeartbeat peer)
    {
        for (var second = from; second <= until; second++)
        {
            Assert.Empty(watch.Observe(second * 1000, second * 1000, [peer]));
        }
    }
}
