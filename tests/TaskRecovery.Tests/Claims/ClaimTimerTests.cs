using TaskRecovery.Claims;
using TaskRecovery.Hosting;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>When a claimer attempts to claim because of hints.</summary>
public sealed class ClaimTimerTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Signal _signal = new();
    private readonly ClaimTimer _timer;
    private TimeSpan _patience;
    private bool _isLeftToPolls;

    public ClaimTimerTests()
    {
        _timer = new ClaimTimer(_signal, _time, () => _isLeftToPolls ? (TimeSpan?)null : _patience);
        Attempt(foundWork: false);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_lone_hint_is_followed_at_once()
    {
        _timer.WakeByHint();

        Assert.True(_timer.IsWoken);
    }

    [Fact]
    public void After_one_hint_in_vain_the_next_one_waits_for_two_milliseconds_at_most()
    {
        FindNothing(1);

        _time.Advance(TimeSpan.FromMilliseconds(3));
        _timer.WakeByHint();

        Assert.True(_timer.IsWoken);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(3, 8)]
    [InlineData(4, 16)]
    [InlineData(5, 20)]
    [InlineData(100, 20)]
    public async Task The_pause_grows_with_the_hints_in_vain(int attempts, int milliseconds)
    {
        FindNothing(attempts);
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));

        _timer.WakeByHint();
        await _timer.WaitAsync(Cancellation);
        Assert.False(_timer.IsWoken);
        var waiting = _timer.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting;

        Assert.True(_timer.IsWoken);
    }

    [Fact]
    public async Task A_hint_that_arrives_during_an_attempt_in_vain_waits_for_the_pause_after_it()
    {
        FindNothing(1);
        _time.Advance(ClaimTimer.LongestPause);
        _timer.WakeByHint();
        var attempt = _timer.Begin();
        _timer.WakeByHint();
        _timer.End(attempt, foundWork: false);
        Assert.False(_timer.IsWoken);

        await _timer.WaitAsync(Cancellation);
        var waiting = _timer.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(3));
        Assert.False(_timer.IsWoken);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting;

        Assert.True(_timer.IsWoken);
    }

    [Fact]
    public void Work_that_is_found_makes_the_pause_shorter_again()
    {
        FindNothing(5);
        _time.Advance(ClaimTimer.LongestPause);
        _timer.WakeByHint();
        Attempt(foundWork: true);
        FindNothing(1);

        // Half of five, and one more.
        _time.Advance(TimeSpan.FromMilliseconds(8));
        _timer.WakeByHint();

        Assert.True(_timer.IsWoken);
    }

    [Fact]
    public async Task A_hint_after_many_in_vain_waits_for_the_rest_of_the_pause()
    {
        FindNothing(5);
        _time.Advance(TimeSpan.FromMilliseconds(5));

        _timer.WakeByHint();
        _timer.WakeByHint();
        Assert.False(_timer.IsWoken);
        await _timer.WaitAsync(Cancellation);
        Assert.False(_timer.IsWoken);
        var waiting = _timer.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(15));
        await waiting;

        Assert.True(_timer.IsWoken);
        Assert.Equal(new ClaimTimer.ClaimAttempt(FromFront: false, IsOnlyHinted: true, IsOwed: false), _timer.Begin());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_attempt_from_the_front_is_owed_if_nothing_else_asks_for_it(bool asks)
    {
        _timer.ShouldRewind(fromFront: true);
        Assert.False(_timer.ShouldRewind(fromFront: false));
        var waiting = _timer.WaitAsync(Cancellation);
        _time.Advance(ClaimTimer.RewindInterval);
        await waiting;
        if (asks)
        {
            _timer.Wake(fromFront: true);
        }

        Assert.Equal(new ClaimTimer.ClaimAttempt(FromFront: true, IsOnlyHinted: false, IsOwed: !asks), _timer.Begin());
    }

    [Fact]
    public async Task An_attempt_for_an_entry_that_becomes_due_is_not_owed()
    {
        _timer.Claimed(TimeSpan.FromMilliseconds(50), wasFull: false);
        _timer.ShouldRewind(fromFront: true);
        _timer.ShouldRewind(fromFront: false);
        var waiting = _timer.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        await waiting;

        Assert.Equal(new ClaimTimer.ClaimAttempt(FromFront: true, IsOnlyHinted: false, IsOwed: false), _timer.Begin());
    }

    [Fact]
    public void After_a_hint_that_led_to_work_the_next_one_is_followed_at_once()
    {
        _timer.WakeByHint();
        Attempt(foundWork: false);
        _time.Advance(ClaimTimer.LongestPause);
        _timer.WakeByHint();
        Attempt(foundWork: true);

        _timer.WakeByHint();

        Assert.True(_timer.IsWoken);
    }

    [Fact]
    public void What_wakes_the_claimer_otherwise_does_not_wait_and_makes_no_hint_wait()
    {
        _timer.WakeByHint();
        Attempt(foundWork: false);
        _timer.Wake(fromFront: false);
        Assert.True(_timer.IsWoken);
        Attempt(foundWork: false);
        _time.Advance(ClaimTimer.LongestPause);

        _timer.WakeByHint();

        Assert.True(_timer.IsWoken);
    }

    [Theory]
    [InlineData(0, 50)]
    [InlineData(5, 50)]
    [InlineData(5, 10)]
    public async Task While_another_node_serves_the_queue_one_attempt_follows_all_hints_of_its_patience(int emptyAttempts, int milliseconds)
    {
        FindNothing(emptyAttempts);
        _patience = TimeSpan.FromMilliseconds(milliseconds);
        var wait = emptyAttempts > 0 && _patience < ClaimTimer.LongestPause ? ClaimTimer.LongestPause : _patience;

        _timer.WakeByHint();
        await _timer.WaitAsync(Cancellation);
        var waiting = _timer.WaitAsync(Cancellation);
        _time.Advance(wait - TimeSpan.FromMilliseconds(1));
        _timer.WakeByHint();
        Assert.False(_timer.IsWoken);
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting;

        Assert.True(_timer.IsWoken);
        Assert.Equal(new ClaimTimer.ClaimAttempt(FromFront: false, IsOnlyHinted: true, IsOwed: false), _timer.Begin());
    }

    [Fact]
    public async Task An_entry_that_becomes_due_is_left_to_the_other_node_too()
    {
        _patience = TimeSpan.FromMilliseconds(50);
        _timer.Claimed(TimeSpan.FromMilliseconds(100), wasFull: false);

        var waiting = _timer.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(149));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting;

        // The other node has most likely taken it, so a claim that finds nothing is not repeated.
        Assert.Equal(new ClaimTimer.ClaimAttempt(FromFront: true, IsOnlyHinted: false, IsOwed: true), _timer.Begin());
    }

    [Fact]
    public async Task An_entry_that_becomes_due_is_left_to_the_polls_of_a_node_that_hears_no_hints()
    {
        _isLeftToPolls = true;
        _timer.Claimed(TimeSpan.FromMilliseconds(100), wasFull: false);

        var waiting = _timer.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(waiting.IsCompleted);
        _timer.Wake(fromFront: true);
        await waiting;

        Assert.True(_timer.IsWoken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_claim_could_not_take_is_not_left_to_another_node(bool isLeftToPolls)
    {
        (_patience, _isLeftToPolls) = (TimeSpan.FromMilliseconds(50), isLeftToPolls);
        _timer.Claimed(TimeSpan.Zero, wasFull: false);

        var waiting = _timer.WaitAsync(Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);

        Assert.Equal(new ClaimTimer.ClaimAttempt(FromFront: true, IsOnlyHinted: false, IsOwed: false), _timer.Begin());
    }

    [Fact]
    public void What_wakes_the_claimer_otherwise_is_not_left_to_another_node()
    {
        _patience = TimeSpan.FromMilliseconds(50);
        _timer.WakeByHint();
        Assert.False(_timer.IsWoken);

        _timer.Wake(fromFront: false);

        Assert.True(_timer.IsWoken);
    }

    private void FindNothing(int times)
    {
        for (var attempt = 0; attempt < times; attempt++)
        {
            _time.Advance(ClaimTimer.LongestPause);
            _timer.WakeByHint();
            Attempt(foundWork: false);
        }
    }

    private void Attempt(bool foundWork) => _timer.End(_timer.Begin(), foundWork);
}
