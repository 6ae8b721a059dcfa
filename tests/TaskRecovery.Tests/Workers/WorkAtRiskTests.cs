using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Diagnostics;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>The gauges of what a crash would cost now.</summary>
public sealed class WorkAtRiskTests
{
    // Longer than a machine may stand still, and twice of it is less than the lease.
    private static readonly TimeSpan Busy = TimeSpan.FromMinutes(1);

    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();
    private readonly StoppableTimeProvider _time = new();

    [Fact]
    public async Task Work_at_risk_grows_until_a_step_or_checkpoint_is_stored_and_has_the_kind()
    {
        var seen = new List<(double Sum, double Max, object? Kind)>();
        Func<(double Sum, double Max, object? Kind)> measure = static () => default;
        _work.Do = async (context, cancellationToken) =>
        {
            _time.Stop(Busy);
            seen.Add(measure());
            await context.StepAsync("one", _ => Task.CompletedTask, cancellationToken);
            seen.Add(measure());
            _time.Stop(Busy);
            seen.Add(measure());
            await context.SaveCheckpointAsync(1, cancellationToken);
            seen.Add(measure());
        };
        await using var host = WorkHost.Create(_store, builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(_time).AddSingleton(_work);
            builder.AddWorker<TestArgs, TestWorker>();
        });
        measure = () => Measure(host.Services.GetRequiredService<Metrics>().Meter);
        await host.StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal(4, seen.Count);
        Assert.All(seen, static one => Assert.Equal("test.work", one.Kind));
        Assert.True(Math.Min(seen[0].Sum, seen[0].Max) >= Busy.TotalSeconds);
        Assert.True(Math.Min(seen[2].Sum, seen[2].Max) >= Busy.TotalSeconds);
        Assert.True(seen[1].Sum < seen[0].Sum);
        Assert.True(seen[3].Sum < seen[2].Sum);
    }

    private static (double Sum, double Max, object? Kind) Measure(Meter meter)
    {
        var (sum, max, kind) = (double.NaN, double.NaN, (object?)null);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter, meter)
                    && instrument.Name is TaskRecoveryDiagnostics.WorkAtRisk or TaskRecoveryDiagnostics.WorkAtRiskMax)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            kind = tags.ToArray().Single(static tag => tag.Key == "taskrecovery.kind").Value;
            if (instrument.Name == TaskRecoveryDiagnostics.WorkAtRisk)
            {
                sum = value;
            }
            else
            {
                max = value;
            }
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return (sum, max, kind);
    }
}
