using System.Diagnostics.Metrics;
using TaskRecovery.Diagnostics;
using TaskRecovery.Operations;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Diagnostics;

/// <summary>What is counted, under which names.</summary>
public sealed class MetricsTests : IDisposable
{
    private readonly RecoveryUnderTest _recovery = new();
    private readonly MeterListener _listener = new();
    private readonly List<(string Name, double Value, Dictionary<string, object?> Tags)> _seen = [];

    public MetricsTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, _recovery.Metrics.Meter))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => See(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => See(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => See(instrument, value, tags));
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _recovery.Dispose();
    }

    [Fact]
    public void A_retried_run_counts_as_finished_and_as_retried_and_its_time_is_kept()
    {
        _recovery.Metrics.Finished("mail", "mail.send", OutcomeKind.Retried, TimeSpan.FromSeconds(2), "System.TimeoutException");

        Assert.Equal("retried", Tag(TaskRecoveryDiagnostics.Finished, "taskrecovery.outcome"));
        Assert.Equal(1, Value(TaskRecoveryDiagnostics.Retried));
        Assert.Equal(2, Value(TaskRecoveryDiagnostics.RunDuration));
        Assert.Equal("mail", Tag(TaskRecoveryDiagnostics.RunDuration, "messaging.destination.name"));
        Assert.Equal("System.TimeoutException", Tag(TaskRecoveryDiagnostics.RunDuration, "error.type"));
    }

    [Fact]
    public void Claims_losses_recoveries_and_enqueues_are_counted()
    {
        _recovery.Metrics.Enqueued("mail", "mail.send", 10);
        _recovery.Metrics.Claimed("mail", "mail.send", TimeSpan.FromSeconds(3));
        _recovery.Metrics.ClaimLost("mail", "mail.send");
        _recovery.Metrics.Released(4);
        _recovery.Metrics.Recovered(RecoveryUnderTest.Report(RecoveryAction.Recovered));

        Assert.Equal(10, Value(TaskRecoveryDiagnostics.Enqueued));
        Assert.Equal(1, Value(TaskRecoveryDiagnostics.Claimed));
        Assert.Equal(3, Value(TaskRecoveryDiagnostics.WaitDuration));
        Assert.Equal(1, Value(TaskRecoveryDiagnostics.ClaimLost));
        Assert.Equal(4, Value(TaskRecoveryDiagnostics.Released));
        Assert.Equal("recovered", Tag(TaskRecoveryDiagnostics.Recovered, "taskrecovery.action"));
    }

    [Fact]
    public async Task Queues_are_measured_only_while_someone_looks()
    {
        _recovery.Store.Depths.Add(new QueueDepth("mail", 3, TimeSpan.FromSeconds(7)));
        _recovery.Node.Beat();
        using var measure = new QueueDepthSampler(
            new QueueDepths(_recovery.Store, _recovery.Time), _recovery.Node.Node, [], _recovery.Metrics, _recovery.Loops);
        await measure.MeasureOnceAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain("measure", _recovery.Store.Calls);

        _listener.RecordObservableInstruments();
        await measure.MeasureOnceAsync(TestContext.Current.CancellationToken);
        _listener.RecordObservableInstruments();

        Assert.Equal(3, Value(TaskRecoveryDiagnostics.QueueDepth));
        Assert.Equal(7, Value(TaskRecoveryDiagnostics.QueueAge));
        Assert.All(_seen.Where(seen => seen.Name == TaskRecoveryDiagnostics.NodesAlive), seen => Assert.Equal(1, seen.Value));
        _recovery.Time.Advance(TimeSpan.FromMinutes(3));
        await measure.MeasureOnceAsync(TestContext.Current.CancellationToken);
        Assert.Single(_recovery.Store.Calls, "measure");
    }

    [Fact]
    public async Task A_queue_that_can_no_longer_be_measured_does_not_keep_its_last_depth()
    {
        _recovery.Store.Depths.Add(new QueueDepth("mail", 3, TimeSpan.FromSeconds(7)));
        using var measure = new QueueDepthSampler(
            new QueueDepths(_recovery.Store, _recovery.Time), _recovery.Node.Node, [], _recovery.Metrics, _recovery.Loops);
        _listener.RecordObservableInstruments();
        await measure.MeasureOnceAsync(TestContext.Current.CancellationToken);
        _listener.RecordObservableInstruments();
        var measured = Value(TaskRecoveryDiagnostics.QueueDepth);
        _seen.Clear();

        _recovery.Store.Failure = new StoreUnavailableException("slow");
        _recovery.Time.Advance(TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => measure.MeasureOnceAsync(TestContext.Current.CancellationToken));
        _listener.RecordObservableInstruments();

        Assert.Equal(3, measured);
        Assert.DoesNotContain(_seen, static seen => seen.Name is TaskRecoveryDiagnostics.QueueDepth or TaskRecoveryDiagnostics.QueueAge);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Only_a_process_that_runs_entries_reports_the_nodes_that_it_sees(bool works)
    {
        _recovery.Role.Works = works;
        _recovery.Node.Beat();
        using var measure = new QueueDepthSampler(
            new QueueDepths(_recovery.Store, _recovery.Time), _recovery.Node.Node, [], _recovery.Metrics, _recovery.Loops);

        _listener.RecordObservableInstruments();

        double[] expected = works ? [1] : [];
        Assert.Equal(
            expected, _seen.Where(static seen => seen.Name == TaskRecoveryDiagnostics.NodesAlive).Select(static seen => seen.Value));
        Assert.Equal(works, _seen.Exists(static seen => seen.Name == TaskRecoveryDiagnostics.UnresponsiveHandlers));
    }

    [Fact]
    public void The_time_of_the_last_death_differs_from_death_to_death_although_each_process_counts_the_same()
    {
        _listener.RecordObservableInstruments();
        _recovery.Metrics.Recovered(RecoveryUnderTest.Report(RecoveryAction.Recovered, nodeDied: false));
        _listener.RecordObservableInstruments();
        var before = _seen.Count(static seen => seen.Name == TaskRecoveryDiagnostics.LastRecovery);

        _recovery.Metrics.Recovered(RecoveryUnderTest.Report(RecoveryAction.Closed));
        _listener.RecordObservableInstruments();

        Assert.Equal(0, before);
        Assert.Equal(_recovery.Time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0, Value(TaskRecoveryDiagnostics.LastRecovery));
    }

    private void See(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        => _seen.Add((instrument.Name, value, tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value)));

    private double Value(string name) => Assert.Single(_seen, seen => seen.Name == name).Value;

    private object? Tag(string name, string tag) => Assert.Single(_seen, seen => seen.Name == name).Tags[tag];
}
