using TaskRecovery.Claims;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>What a heartbeat says of its process.</summary>
public sealed class RunningWorkTests
{
    [Fact]
    public void While_nothing_runs_every_tenth_heartbeat_describes_the_process()
    {
        using var recovery = new RecoveryUnderTest();
        var work = new RunningWork(recovery.Metrics, recovery.Time);

        var described = Enumerable.Range(0, 21).Where(_ => work.Describe() is not null).ToList();

        Assert.Equal([0, 10, 20], described);
    }
}
