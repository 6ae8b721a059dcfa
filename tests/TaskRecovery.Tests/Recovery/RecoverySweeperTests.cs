using TaskRecovery.Recovery;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Recovery;

/// <summary>A dead node that can't be swept, or whose sweep finds nothing.</summary>
public sealed class RecoverySweeperTests : IDisposable
{
    private readonly RecoveryUnderTest _recovery = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _recovery.Dispose();

    [Fact]
    public async Task A_node_that_can_t_be_swept_keeps_no_later_death_waiting()
    {
        using var recovery = new RecoveryUnderTest(static options => options.Recovery.SweepInterval = TimeSpan.FromHours(1));
        using var sweeper = new RecoverySweeper(
            recovery.Recoverer, recovery.Store, recovery.Node.Node, recovery.Node.Signals, recovery.Loops, recovery.Node.Options);
        var wait = TimeSpan.Zero;
        for (var round = 0; round < 6; round++)
        {
            recovery.Store.NextSweep(new RecoveryReport([]) { Failure = new StoreUnavailableException("a row is locked") });
            wait = await sweeper.TryOnceAsync(Cancellation);
        }

        // The clock stands still.
        var waiting = sweeper.WaitForRoundAsync(wait, Cancellation);
        recovery.Node.Signals.SweepDue.Set();

        await waiting.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        Assert.Equal(TimeSpan.FromSeconds(5), wait);
        Assert.Equal(1, recovery.OutageLog.Count(1002));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Heartbeats_that_report_a_dead_node_in_vain_wake_the_sweep_only_once(bool fails)
    {
        var signals = _recovery.Node.Signals;
        using var sweeper = Sweeper();
        signals.ReportDeadNode();
        Assert.True(await signals.SweepDue.WaitAsync(TimeSpan.Zero, _recovery.Time, Cancellation));
        for (var round = 0; round < 4; round++)
        {
            if (fails)
            {
                _recovery.Store.NextSweep(new RecoveryReport([]) { Failure = new FormatException("a row can't be read") });
            }

            var wait = await sweeper.TryOnceAsync(Cancellation);
            signals.ReportDeadNode();

            Assert.InRange(wait, TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(6));
            Assert.False(await signals.SweepDue.WaitAsync(TimeSpan.Zero, _recovery.Time, Cancellation));
        }

        _recovery.Store.NextSweep(RecoveryUnderTest.Report(RecoveryAction.Recovered));
        await sweeper.TryOnceAsync(Cancellation);
        signals.ReportDeadNode();

        Assert.True(await signals.SweepDue.WaitAsync(TimeSpan.Zero, _recovery.Time, Cancellation));
        Assert.Equal(fails ? 0 : 1, _recovery.Log.Count(3055));
    }

    private RecoverySweeper Sweeper() => new(
        _recovery.Recoverer, _recovery.Store, _recovery.Node.Node, _recovery.Node.Signals, _recovery.Loops, _recovery.Node.Options);
}
