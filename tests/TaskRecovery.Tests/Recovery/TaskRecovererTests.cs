using System.Diagnostics.Metrics;
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
        _recovery.Jobs.TaskReport = RecoveryUnderTest.Report(RecoveryAction.Closed, task, EndReasons.TooOld);

        var report = await _recovery.Recoverer.RecoverOnceAsync(Cancellation);

        Assert.Equal((1, 2), (report.Recovered, report.Closed));
        Assert.Equal(["sweep", "sweep", "sweep", "recover tasks"], _recovery.Store.Calls);
        Assert.Equal(
            [
                $"Task {task} (entry 4, mail) of node dead runs again, because the node died; crashes counted: 1",
                "Recovery. Entries that run again: 1; closed: 0",
                "Ended entry 4 (mail) of node dead: crash_loop; crashes counted: 1",
                "Recovery. Entries that run again: 0; closed: 1",
                $"Closed task {task} (entry 4, mail) of node dead: too_old; crashes counted: 1",
                "Recovery. Entries that run again: 0; closed: 1",
            ],
            _recovery.Log.Texts);
        Assert.Equal(3, _recovery.Waker.Wakes);
    }

    [Fact]
    public async Task What_was_swept_is_reported_although_another_node_could_not_be_swept()
    {
        Exception failure = new StoreUnavailableException("a row is locked");
        _recovery.Store.NextSweep(RecoveryUnderTest.Report(RecoveryAction.Recovered) with { Failure = failure });

        var report = await _recovery.Recoverer.RecoverOnceAsync(Cancellation);

        Assert.Equal(1, report.Recovered);
        Assert.Same(failure, report.Failure);
        Assert.Equal(["sweep", "recover tasks"], _recovery.Store.Calls);
        Assert.Equal(1, _recovery.Waker.Wakes);
        Assert.Contains(3063, _recovery.Log.Ids);
    }

    [Fact]
    public async Task The_log_names_the_cause_of_each_recovery()
    {
        _recovery.Store.NextSweep(RecoveryUnderTest.Report(RecoveryAction.Recovered, nodeDied: false));
        _recovery.Jobs.TaskReport = RecoveryUnderTest.Report(RecoveryAction.Recovered, Guid.NewGuid(), nodeDied: false);

        await _recovery.Recoverer.RecoverOnceAsync(Cancellation);

        Assert.Contains(_recovery.Log.Texts, line => line.Contains("because the node left", StringComparison.Ordinal));
        Assert.Contains(_recovery.Log.Texts, line => line.Contains("because its entry was missing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_listener_to_metrics_that_throws_ends_no_recovery()
    {
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter, _recovery.Metrics.Meter))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("no exporter"));
        listener.Start();
        _recovery.Store.NextSweep(RecoveryUnderTest.Report(RecoveryAction.Recovered));

        var report = await _recovery.Recoverer.RecoverOnceAsync(Cancellation);

        Assert.Equal(1, report.Recovered);
    }

    [Fact]
    public async Task The_operator_who_requested_a_recovery_is_passed_to_the_store()
    {
        var anna = new AuditInfo("anna");

        await _recovery.Recoverer.RecoverOnceAsync(anna, Cancellation);
        await _recovery.Recoverer.RecoverOnceAsync(Cancellation);

        Assert.Equal([anna, anna, null, null], _recovery.Store.Audits);
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
