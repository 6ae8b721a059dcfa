using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Recovery;

/// <summary>What a recovery tells.</summary>
public sealed class TaskRecovererTests : IDisposable
{
    private readonly RecoveryUnderTest _recovery = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _recovery.Dispose();

    [Fact]
    public async Task It_sweeps_until_nothing_is_left_and_reports_every_line()
    {
        var task = Guid.NewGuid();
        _recovery.Store.NextSweep(RecoveryUnderTest.Report(RecoveryAction.Recovered, task));
        _recovery.Store.NextSweep(RecoveryUnderTest.Report(RecoveryAction.Closed, reason: EndReasons.CrashLoop));
        _recovery.Jobs.TaskReport = RecoveryUnderTest.Report(RecoveryAction.Closed, reason: EndReasons.TooOld);

        var report = await _recovery.Recoverer.RecoverOnceAsync(Cancellation);

        Assert.Equal((1, 2), (report.Recovered, report.Closed));
        Assert.Equal(["sweep", "sweep", "sweep", "recover tasks"], _recovery.Store.Calls);
        Assert.Contains(_recovery.Log.Texts, line => line.StartsWith($"Recovered task {task}", StringComparison.Ordinal));
        Assert.Contains(_recovery.Log.Texts, line => line.EndsWith("after 1 crashes: crash_loop", StringComparison.Ordinal));
        Assert.Contains(_recovery.Log.Texts, line => line.EndsWith("after 1 crashes: too_old", StringComparison.Ordinal));
        Assert.Equal(3, _recovery.Waker.Wakes);
    }

    [Fact]
    public async Task A_recovery_of_nothing_is_silent()
    {
        var report = await _recovery.Recoverer.RecoverOnceAsync(Cancellation);

        Assert.Empty(report.Items);
        Assert.Empty(_recovery.Log.Ids);
        Assert.Equal(0, _recovery.Waker.Wakes);
    }
}
