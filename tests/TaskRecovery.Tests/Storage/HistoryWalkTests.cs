using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

public sealed class HistoryWalkTests
{
    private readonly HistoryWalk _walk = new();

    [Fact]
    public void What_there_is_to_remove_is_followed_to_the_end()
    {
        _walk.Begin();
        for (var step = 1; step <= 1000; step++)
        {
            _walk.GoOn(step, HistoryWalk.Chunk, isEnd: false);
            Assert.Equal((step, false), (_walk.After, _walk.IsResting));
        }

        _walk.GoOn(1001, HistoryWalk.Worthwhile, isEnd: true);

        Assert.True(_walk.IsResting);
    }

    [Fact]
    public void A_round_looks_at_so_much_in_vain_and_the_next_goes_on_there()
    {
        var steps = WalkInVain();
        var stopped = _walk.After;

        _walk.Begin();
        Assert.Equal(0, _walk.After);
        _walk.GoOn(1, 0, isEnd: false);

        Assert.InRange(steps, 2, 100);
        Assert.Equal(steps, stopped);
        Assert.Equal(stopped, _walk.After);
    }

    [Fact]
    public void The_front_is_followed_as_far_as_there_is_something_to_remove()
    {
        WalkInVain();
        var stopped = _walk.After;

        _walk.Begin();
        _walk.GoOn(3, HistoryWalk.Worthwhile, isEnd: false);
        Assert.Equal(3, _walk.After);
        _walk.GoOn(stopped + 5, HistoryWalk.Worthwhile, isEnd: false);
        _walk.GoOn(stopped + 6, 0, isEnd: false);

        Assert.Equal(stopped + 6, _walk.After);
    }

    [Fact]
    public void After_the_end_a_walk_starts_anew()
    {
        WalkInVain();
        _walk.Begin();
        _walk.GoOn(1, 0, isEnd: false);
        _walk.GoOn(1_000_000, 0, isEnd: true);

        _walk.Begin();
        _walk.GoOn(1, 0, isEnd: false);

        Assert.Equal(1, _walk.After);
    }

    [Fact]
    public void A_walk_that_gives_way_to_another_keeps_its_place()
    {
        WalkInVain();
        var stopped = _walk.After;

        _walk.Begin();
        _walk.Rest();
        _walk.Begin();
        _walk.GoOn(1, 0, isEnd: false);

        Assert.Equal(stopped, _walk.After);
    }

    private long WalkInVain()
    {
        _walk.Begin();
        var steps = 0L;
        while (!_walk.IsResting)
        {
            _walk.GoOn(++steps, HistoryWalk.Worthwhile - 1, isEnd: false);
            Assert.True(steps < 1000);
        }

        return steps;
    }
}
