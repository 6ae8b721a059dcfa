using Microsoft.Extensions.Time.Testing;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>When statements of a process share one connection, and when they use several.</summary>
public sealed class StatementPressureTests
{
    private static readonly TimeSpan Usual = TimeSpan.FromMilliseconds(50);
    private readonly FakeTimeProvider _time = new();
    private readonly StatementPressure _pressure;

    public StatementPressureTests() => _pressure = new(_time);

    [Theory]
    [InlineData(1, 200, false)] // An idle node: a few loops that wake together.
    [InlineData(2, 5, true)] // A busy process on a fast server: twenty overlaps a second and more.
    [InlineData(40, 120, false)] // One of many nodes on a slow server: statements overlap because each takes long.
    [InlineData(40, 50, true)] // A process that keeps more than one connection busy on a slow server.
    public void Statements_use_more_connections_if_one_is_not_enough_for_them(int took, int every, bool expected)
    {
        var isHigh = false;
        for (var i = 0; i < 200; i++)
        {
            isHigh = RunTwo(TimeSpan.FromMilliseconds(took), TimeSpan.FromMilliseconds(every));
        }

        Assert.Equal(expected, isHigh);
    }

    [Fact]
    public void A_drain_that_begins_has_its_connections_within_half_a_second()
    {
        for (var i = 0; i < 3; i++)
        {
            _pressure.Begin();
        }

        var began = _time.GetTimestamp();
        while (!_pressure.Begin())
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            _pressure.End(TimeSpan.FromMilliseconds(10));
        }

        Assert.InRange(_time.GetElapsedTime(began), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(500));
    }

    [Fact]
    public void A_process_that_becomes_idle_returns_to_one_connection()
    {
        for (var i = 0; i < 200; i++)
        {
            RunTwo(TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(5));
        }

        _time.Advance(TimeSpan.FromSeconds(30));

        Assert.False(_pressure.Begin());
    }

    [Fact]
    public void A_statement_waits_for_the_connection_as_long_as_some_take_and_a_blocked_one_counts_no_more_than_others()
    {
        Assert.Equal(Usual, _pressure.Patience(Usual));
        for (var i = 0; i < 200; i++)
        {
            RunTwo(TimeSpan.FromMilliseconds(30), TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(_pressure.Patience(Usual), TimeSpan.FromMilliseconds(299), TimeSpan.FromMilliseconds(301));
        for (var i = 0; i < 200; i++)
        {
            RunTwo(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(100));
        }

        _pressure.Begin();
        _pressure.End(TimeSpan.FromMinutes(5));
        Assert.InRange(_pressure.Patience(Usual), TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(350));
        _pressure.Begin();
        _pressure.End(took: null);
        Assert.True(_pressure.Patience(TimeSpan.FromMinutes(1)) == TimeSpan.FromMinutes(1));
    }

    // Returns whether the second is not to wait for the first.
    private bool RunTwo(TimeSpan took, TimeSpan every)
    {
        _pressure.Begin();
        var isHigh = _pressure.Begin();
        _time.Advance(took);
        _pressure.End(took);
        _pressure.End(took);
        _time.Advance(every > took ? every - took : TimeSpan.Zero);
        return isHigh;
    }
}
