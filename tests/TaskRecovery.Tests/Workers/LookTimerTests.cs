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
    private TimeSpan _patience;
    private bool _isLeftToPolls;

    public LookTimerTests()
    {
        _looks = new LookTimer(_signal, _time, () => _isLeftToPolls ? (TimeSpan?)null : _patience);
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
    public void After_one_hint_in_vain_the_next_one_waits_for_two_milliseconds_at_most()
    {
        LookInVain(1);

        _time.Advance(TimeSpan.FromMilliseconds(3));
        _looks.WakeByHint();

        Assert.True(_looks.IsWoken);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(3, 8)]
    [InlineData(4, 16)]
    [InlineData(5, 20)]
    [InlineData(100, 20)]
    public async Task The_pause_grows_with_the_hints_in_vain(int looks, int milliseconds)
    {
        LookInVain(looks);
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));

        _looks.WakeByHint();
        await _looks.WaitAsync(Cancellation);
        Assert.False(_looks.IsWoken);
        var waiting = _looks.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting;

        Assert.True(_looks.IsWoken);
    }

    [Fact]
    public async Task A_hint_that_arrives_during_a_look_in_vain_waits_for_the_pause_after_it()
    {
        LookInVain(1);
        _time.Advance(LookTimer.BetweenVainHints);
        _looks.WakeByHint();
        var look = _looks.Begin();
        _looks.WakeByHint();
        _looks.End(look, foundWork: false);
        Assert.False(_looks.IsWoken);

        await _looks.WaitAsync(Cancellation);
        var waiting = _looks.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(3));
        Assert.False(_looks.IsWoken);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting;

        Assert.True(_looks.IsWoken);
    }

    [Fact]
    public void Work_that_is_found_makes_the_pause_shorter_again()
    {
        LookInVain(5);
        _time.Advance(LookTimer.BetweenVainHints);
        _looks.WakeByHint();
        Look(foundWork: true);
        LookInVain(1);

        // Half of five, and one more.
        _time.Advance(TimeSpan.FromMilliseconds(8));
        _looks.WakeByHint();

        Assert.True(_looks.IsWoken);
    }

    [Fact]
    public async Task A_hint_after_many_in_vain_waits_for_the_rest_of_the_pause()
    {
        LookInVain(5);
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
        Assert.Equal(new LookTimer.Look(FromFront: false, IsOnlyHinted: true, IsOwed: false), _looks.Begin());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_look_from_the_front_is_owed_if_nothing_else_asks_for_it(bool asks)
    {
        _looks.ShouldRewind(fromFront: true);
        Assert.False(_looks.ShouldRewind(fromFront: false));
        var waiting = _looks.WaitAsync(Cancellation);
        _time.Advance(LookTimer.RewindInterval);
        await waiting;
        if (asks)
        {
            _looks.Wake(fromFront: true);
        }

        Assert.Equal(new LookTimer.Look(FromFront: true, IsOnlyHinted: false, IsOwed: !asks), _looks.Begin());
    }

    [Fact]
    public async Task A_look_for_an_entry_that_becomes_due_is_not_owed()
    {
        _looks.Looked(TimeSpan.FromMilliseconds(50), wasFull: false);
        _looks.ShouldRewind(fromFront: true);
        _looks.ShouldRewind(fromFront: false);
        var waiting = _looks.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        await waiting;

        Assert.Equal(new LookTimer.Look(FromFront: true, IsOnlyHinted: false, IsOwed: false), _looks.Begin());
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

    [Theory]
    [InlineData(0, 50)]
    [InlineData(5, 50)]
    [InlineData(5, 10)]
    public async Task While_another_node_serves_the_queue_one_look_follows_all_hints_of_its_patience(int vainLooks, int milliseconds)
    {
        LookInVain(vainLooks);
        _patience = TimeSpan.FromMilliseconds(milliseconds);
        var wait = vainLooks > 0 && _patience < LookTimer.BetweenVainHints ? LookTimer.BetweenVainHints : _patience;

        _looks.WakeByHint();
        await _looks.WaitAsync(Cancellation);
        var waiting = _looks.WaitAsync(Cancellation);
        _time.Advance(wait - TimeSpan.FromMilliseconds(1));
        _looks.WakeByHint();
        Assert.False(_looks.IsWoken);
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting;

        Assert.True(_looks.IsWoken);
        Assert.Equal(new LookTimer.Look(FromFront: false, IsOnlyHinted: true, IsOwed: false), _looks.Begin());
    }

    [Fact]
    public async Task An_entry_that_becomes_due_is_left_to_the_other_node_too()
    {
        _patience = TimeSpan.FromMilliseconds(50);
        _looks.Looked(TimeSpan.FromMilliseconds(100), wasFull: false);

        var waiting = _looks.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(149));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting;

        // The other node has most likely taken it, so a claim that finds nothing is not repeated.
        Assert.Equal(new LookTimer.Look(FromFront: true, IsOnlyHinted: false, IsOwed: true), _looks.Begin());
    }

    [Fact]
    public async Task An_entry_that_becomes_due_is_left_to_the_polls_of_a_node_that_hears_no_hints()
    {
        _isLeftToPolls = true;
        _looks.Looked(TimeSpan.FromMilliseconds(100), wasFull: false);

        var waiting = _looks.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(waiting.IsCompleted);
        _looks.Wake(fromFront: true);
        await waiting;

        Assert.True(_looks.IsWoken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_claim_could_not_take_is_not_left_to_another_node(bool isLeftToPolls)
    {
        (_patience, _isLeftToPolls) = (TimeSpan.FromMilliseconds(50), isLeftToPolls);
        _looks.Looked(TimeSpan.Zero, wasFull: false);

        var waiting = _looks.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);

        Assert.Equal(new LookTimer.Look(FromFront: true, IsOnlyHinted: false, IsOwed: false), _looks.Begin());
    }

    [Fact]
    public void What_wakes_the_claimer_otherwise_is_not_left_to_another_node()
    {
        _patience = TimeSpan.FromMilliseconds(50);
        _looks.WakeByHint();
        Assert.False(_looks.IsWoken);

        _looks.Wake(fromFront: false);

        Assert.True(_looks.IsWoken);
    }

    private void LookInVain(int times)
    {
        for (var look = 0; look < times; look++)
        {
            _time.Advance(LookTimer.BetweenVainHints);
            _looks.WakeByHint();
            Look(foundWork: false);
        }
    }

    private void Look(bool foundWork) => _looks.End(_looks.Begin(), foundWork);
}
