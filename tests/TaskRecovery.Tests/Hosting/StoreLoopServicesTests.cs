using TaskRecovery.Hosting;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Hosting;

public sealed class StoreLoopServicesTests
{
    private static readonly TimeSpan Five = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Ten = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _time = new();
    private readonly StoreLoopServices _services;

    public StoreLoopServicesTests()
    {
        _time.Advance(TimeSpan.FromSeconds(3.7));
        _services = new StoreLoopServices(
            new StartupGate(), new FakeRole(), new OutageReporter(_time, new LogRecorder<OutageReporter>()), _time);
    }

    [Fact]
    public void The_first_wait_is_the_whole_interval()
        => Assert.Equal((Five, Ten), (_services.UntilNext(Five), _services.UntilNext(Ten)));

    [Fact]
    public void Loops_whose_rounds_end_at_different_times_wake_together()
    {
        _time.Advance(TimeSpan.FromSeconds(1.3));
        var one = _time.GetTimestamp() + _services.UntilNext(Ten).Ticks;
        _time.Advance(TimeSpan.FromSeconds(6.1));
        var other = _time.GetTimestamp() + _services.UntilNext(Five).Ticks;

        Assert.Equal(one, other);
    }

    [Fact]
    public void A_timer_that_fires_early_causes_no_second_round()
    {
        _time.Advance(Five - TimeSpan.FromMilliseconds(1));

        Assert.Equal(Five + TimeSpan.FromMilliseconds(1), _services.UntilNext(Five));
    }

    [Theory]
    [InlineData(0, 0.99, false)]
    [InlineData(1, 0.99, false)]
    [InlineData(19, 0.99, false)]
    [InlineData(20, 0.49, false)]
    [InlineData(20, 0.5, true)]
    [InlineData(75, 0.16, false)]
    [InlineData(75, 0.17, true)]
    [InlineData(1_000, 0.16, false)]
    [InlineData(1_000, 0.17, true)]
    public void In_a_fleet_each_node_skips_rounds_at_random(int nodes, double random, bool skips)
        => Assert.Equal(skips, StoreLoopServices.SkipsRound(nodes, random));
}
