using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>What an application gets from a named instance: its services, its metrics, its health check.</summary>
public sealed class InstanceServiceTests : IDisposable
{
    private readonly TemporaryDatabase _shop = new();
    private readonly TemporaryDatabase _reports = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _shop.Dispose();
        _reports.Dispose();
    }

    [Theory]
    [InlineData(typeof(IJobQueue))]
    [InlineData(typeof(IJobService))]
    [InlineData(typeof(ITaskService))]
    [InlineData(typeof(IQueueMonitor))]
    [InlineData(typeof(IQueueOperator))]
    [InlineData(typeof(IStoreMigrator))]
    [InlineData(typeof(IPayloadReader))]
    public void Every_public_service_has_the_key(Type service)
    {
        using var host = Host();

        var ofReports = host.Services.GetRequiredKeyedService(service, "reports");

        Assert.Same(ofReports, host.Services.GetRequiredKeyedService(service, "reports"));
        Assert.NotSame(ofReports, host.Services.GetRequiredService(service));
    }

    [Theory]
    [InlineData(TaskRecoveryDiagnostics.Claimed)]
    [InlineData(TaskRecoveryDiagnostics.Finished)]
    [InlineData(TaskRecoveryDiagnostics.RunDuration)]
    [InlineData(TaskRecoveryDiagnostics.WaitDuration)]
    [InlineData(TaskRecoveryDiagnostics.QueueDepth)]
    [InlineData(TaskRecoveryDiagnostics.QueueAge)]
    [InlineData(TaskRecoveryDiagnostics.NodesAlive)]
    [InlineData(TaskRecoveryDiagnostics.UnresponsiveHandlers)]
    public async Task Claims_runs_waits_and_gauges_have_the_tag(string instrument)
    {
        using var host = Host();
        var meters = host.Services.GetRequiredService<IMeterFactory>();
        var measured = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (published, it) =>
        {
            if (published.Name == instrument && published.Meter.Scope == meters)
            {
                it.EnableMeasurementEvents(published);
            }
        };
        listener.SetMeasurementEventCallback<int>((published, _, _, _) => Add(published));
        listener.SetMeasurementEventCallback<long>((published, _, _, _) => Add(published));
        listener.SetMeasurementEventCallback<double>((published, _, _, _) => Add(published));
        listener.Start();
        await host.StartAsync(Cancellation);

        await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Print(), cancellationToken: Cancellation);
        await host.Services.GetRequiredKeyedService<IJobQueue>("reports").EnqueueAsync(new Print(), cancellationToken: Cancellation);
        await UntilAsync(() =>
        {
            // Gauges are measured when somebody asks.
            listener.RecordObservableInstruments();
            return measured.Count == 2;
        });
        await host.StopAsync(Cancellation);

        Assert.Equal(["none", "reports"], measured.Keys.Order(StringComparer.Ordinal));

        void Add(Instrument published) => measured[published.Meter.Tags?.FirstOrDefault(
            static tag => tag.Key == TaskRecoveryDiagnostics.InstanceTag).Value as string ?? "none"] = true;
    }

    [Fact]
    public async Task A_check_with_a_name_of_its_own_checks_the_named_instance()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery("reports").UseSqlite(_reports.ConnectionString).AddWorker<Print, Printer>("print");
        builder.Services.AddHealthChecks().AddTaskRecovery("reports", name: "night");
        using var host = builder.Build();
        var health = host.Services.GetRequiredService<HealthCheckService>();

        var before = Assert.Single((await health.CheckHealthAsync(Cancellation)).Entries);
        await host.StartAsync(Cancellation);
        await UntilAsync(async () => (await health.CheckHealthAsync(Cancellation)).Status == HealthStatus.Healthy);
        await host.StopAsync(Cancellation);

        Assert.Equal(("night", HealthStatus.Unhealthy), (before.Key, before.Value.Status));
    }

    [Fact]
    public async Task A_check_takes_the_instance_first_as_every_other_method_does()
    {
        // The host is not started: a check of the instance without a name would not find a store.
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery();
        builder.Services.AddTaskRecovery("reports").UseSqlite(_reports.ConnectionString).AddWorker<Print, Printer>("print");
        builder.Services.AddHealthChecks().AddTaskRecovery("reports");
        using var host = builder.Build();

        var entry = Assert.Single((await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation)).Entries);

        Assert.Equal("taskrecovery-reports", entry.Key);
        Assert.Null(entry.Value.Exception);
    }

    private IHost Host()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery().UseSqlite(_shop.ConnectionString).AddWorker<Print, Printer>("print");
        builder.Services.AddTaskRecovery("reports").UseSqlite(_reports.ConnectionString).AddWorker<Print, Printer>("print");
        return builder.Build();
    }

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private sealed record Print;

    private sealed class Printer : IJobWorker<Print>
    {
        public Task WorkAsync(WorkContext<Print> context, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
