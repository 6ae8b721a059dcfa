using TaskRecovery.Claims;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>Suspects run in ever smaller company, and neither kind starves the other.</summary>
public sealed class SuspectLimiterTests
{
    private readonly SuspectLimiter _gate = new(maxCrashes: 3, TimeProvider.System);

    [Theory]
    [InlineData(0, Suspicion.None)]
    [InlineData(1, Suspicion.None)]
    [InlineData(2, Suspicion.Suspect)]
    [InlineData(3, Suspicion.LastChance)]
    [InlineData(4, Suspicion.LastChance)]
    internal void An_entry_is_as_suspect_as_its_crashes_say(int crashes, Suspicion suspicion) => Assert.Equal(suspicion, _gate.Of(crashes));

    [Fact]
    public void No_more_suspects_than_32_are_out_over_all_queues()
    {
        var first = _gate.Reserve("mail");
        _gate.Commit(first, suspects: 30, lastChances: 0);

        var second = _gate.Reserve("mail");
        _gate.Commit(second, suspects: 2, lastChances: 0);
        var third = _gate.Reserve("mail");

        Assert.Equal(new SuspectAllowance(3, 32, 0), first);
        Assert.Equal(new SuspectAllowance(3, 2, 0), second);
        Assert.Equal(new SuspectAllowance(3, 0, 0), third);
    }

    [Fact]
    public void Two_claims_at_the_same_time_never_share_a_place()
    {
        var first = _gate.Reserve("mail");
        var second = _gate.Reserve("mail");

        Assert.Equal(32, first.Suspects + second.Suspects);
        Assert.Equal(0, first.LastChances + second.LastChances);
    }

    [Fact]
    public void A_last_chance_is_asked_for_in_turn_and_only_alone()
    {
        _gate.Commit(_gate.Reserve("mail"), suspects: 0, lastChances: 0);

        var last = _gate.Reserve("mail");
        _gate.Commit(last, suspects: 0, lastChances: 1);
        var beside = _gate.Reserve("mail");
        _gate.Release(Suspicion.LastChance);
        var after = _gate.Reserve("mail");

        Assert.Equal(new SuspectAllowance(3, 0, 1), last);
        Assert.Equal(new SuspectAllowance(3, 0, 0), beside);
        Assert.Equal(32, after.Suspects);
    }

    [Fact]
    public void A_suspect_that_runs_for_long_keeps_others_waiting_only_if_a_last_chance_waits()
    {
        var time = new ManualTimeProvider();
        var limiter = new SuspectLimiter(maxCrashes: 3, time);
        limiter.Commit(limiter.Reserve("mail"), suspects: 1, lastChances: 0);
        var early = limiter.BeginAsking("mail");
        time.Advance(TimeSpan.FromSeconds(31));

        Assert.False(early);
        Assert.True(limiter.BeginAsking("mail"));
        Assert.False(limiter.BeginAsking("mail"));
        limiter.EndAsking("mail", waits: false);
        var without = limiter.Reserve("mail");
        limiter.Commit(without, suspects: 0, lastChances: 0);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(limiter.BeginAsking("mail"));
        limiter.EndAsking("mail", waits: true);
        var during = limiter.Reserve("mail");
        limiter.Release(Suspicion.Suspect);
        var alone = limiter.Reserve("mail");

        Assert.Equal(new SuspectAllowance(3, 31, 0), without);
        Assert.Equal(new SuspectAllowance(3, 0, 0), during);
        Assert.Equal(new SuspectAllowance(3, 0, 1), alone);
        Assert.False(limiter.BeginAsking("mail"));
    }

    [Fact]
    public void A_last_chance_that_was_not_seen_again_for_long_keeps_no_suspect_waiting()
    {
        var time = new ManualTimeProvider();
        var limiter = new SuspectLimiter(maxCrashes: 3, time);
        limiter.Commit(limiter.Reserve("mail"), suspects: 1, lastChances: 0);
        time.Advance(TimeSpan.FromSeconds(31));
        limiter.EndAsking("mail", waits: true);

        Assert.Equal(0, limiter.Reserve("mail").Suspects);
        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(31, limiter.Reserve("mail").Suspects);
    }

    [Fact]
    public void A_last_chance_that_waits_loses_its_turn_to_no_other_queue()
    {
        var time = new ManualTimeProvider();
        var limiter = new SuspectLimiter(maxCrashes: 3, time);
        limiter.Commit(limiter.Reserve("other"), suspects: 1, lastChances: 0);
        time.Advance(TimeSpan.FromSeconds(31));
        limiter.EndAsking("mail", waits: true);
        limiter.Release(Suspicion.Suspect);

        var other = limiter.Reserve("other");
        limiter.Commit(other, suspects: 0, lastChances: 0);
        var again = limiter.Reserve("other");
        var mail = limiter.Reserve("mail");

        Assert.Equal(new SuspectAllowance(3, 0, 0), other);
        Assert.Equal(new SuspectAllowance(3, 0, 0), again);
        Assert.Equal(new SuspectAllowance(3, 0, 1), mail);
    }

    [Fact]
    public void A_turn_that_found_no_last_chance_is_followed_by_that_of_another_queue_in_which_one_waits()
    {
        var time = new ManualTimeProvider();
        var limiter = new SuspectLimiter(maxCrashes: 3, time);
        limiter.Commit(limiter.Reserve("mail"), suspects: 1, lastChances: 0);
        time.Advance(TimeSpan.FromSeconds(31));
        limiter.EndAsking("mail", waits: true);
        limiter.EndAsking("other", waits: true);
        limiter.Release(Suspicion.Suspect);

        limiter.Commit(limiter.Reserve("mail"), suspects: 0, lastChances: 0);
        var mail = limiter.Reserve("mail");
        var other = limiter.Reserve("other");

        Assert.Equal(new SuspectAllowance(3, 0, 0), mail);
        Assert.Equal(new SuspectAllowance(3, 0, 1), other);
    }

    [Fact]
    public void While_a_suspect_is_out_no_last_chance_is_asked_for()
    {
        _gate.Commit(_gate.Reserve("mail"), suspects: 1, lastChances: 0);

        var asked = _gate.Reserve("mail");

        Assert.Equal(new SuspectAllowance(3, 31, 0), asked);
    }
}
