using TaskRecovery.Hosting;
using TaskRecovery.Tests.Support;
using TaskRecovery.Workers;

namespace TaskRecovery.Tests.Workers;

/// <summary>When a claimer looks because of hints.</summary>
public sealed class LookTimerTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Signal _signal = new();
    private readonly LookTimer _looks;

    public LookTimerTests()
    {
        _looks = new LookTimer(_signal, _time);
        Look(foundWork: false);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_lone_hint_is_followed_at_once()
    {
        _looks.WakeByHint();

        Assert.True(_looks.IsWoken);
    }

    [Fact]
    public async Task A_hint_after_one_in_vain_waits_for_the_rest_of_the_pause()
    {
        _looks.WakeByHint();
        Look(foundWork: false);
        _time.Advance(TimeSpan.FromMilliseconds(5));

        _looks.WakeByHint();
        _looks.WakeByHint();
        Assert.False(_looks.IsWoken);
        await _looks.WaitAsync(Cancellation);
        Assert.False(_looks.IsWoken);
        var waiting = _looks.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(15));
        await waiting;

        Assert.True(_looks.IsWoken);
        Assert.Equal(new LookTimer.Look(FromFront: false, IsHinted: true, IsOnlyHinted: true), _looks.Begin());
    }

    [Fact]
    public void After_a_hint_that_led_to_work_the_next_one_is_followed_at_once()
    {
        _looks.WakeByHint();
        Look(foundWork: false);
        _time.Advance(LookTimer.BetweenVainHints);
        _looks.WakeByHint();
        Look(foundWork: true);

        _looks.WakeByHint();

        Assert.True(_looks.IsWoken);
    }

    [Fact]
    public void What_wakes_the_claimer_otherwise_does_not_wait_and_makes_no_hint_wait()
    {
        _looks.WakeByHint();
        Look(foundWork: false);
        _looks.Wake(fromFront: false);
        Assert.True(_looks.IsWoken);
        Look(foundWork: false);
        _time.Advance(LookTimer.BetweenVainHints);

        _looks.WakeByHint();

        Assert.True(_looks.IsWoken);
    }

    private void Look(bool foundWork) => _looks.End(_looks.Begin(), foundWork);
}
