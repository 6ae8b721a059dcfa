using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Instances;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>Several instances of TaskRecovery in one host.</summary>
public sealed class NamedInstanceTests : IDisposable
{
    private readonly TemporaryDatabase _shop = new();
    private readonly TemporaryDatabase _reports = new();
    private readonly Ran _ran = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _shop.Dispose();
        _reports.Dispose();
    }

    [Fact]
    public async Task Each_instance_runs_what_is_stored_in_its_own_store()
    {
        using var host = Host();
        await host.StartAsync(Cancellation);
        var shop = host.Services.GetRequiredService<IJobQueue>();
        var reports = host.Services.GetRequiredKeyedService<IJobQueue>("reports");

        var first = await shop.EnqueueAsync(new Print("shop"), cancellationToken: Cancellation);
        var second = await reports.EnqueueAsync(new Print("reports"), new EnqueueOptions { Queue = "night" }, Cancellation);

        Assert.Equal(["reports in night", "shop in default"], (await _ran.WaitForAsync(2)).Order());
        await PatientHosts.UntilEndedAsync(shop, first.Id);
        await PatientHosts.UntilEndedAsync(reports, second.Id);
        await host.StopAsync(Cancellation);
        Assert.Equal(EntryState.Completed, (await shop.FindAsync(first.Id, Cancellation))!.State);
        Assert.Equal(("night", EntryState.Completed), await reports.FindAsync(second.Id, Cancellation) is { } entry
            ? (entry.Queue, entry.State)
            : default);
        var filter = new EntryFilter { Kind = "print" };
        Assert.Single((await shop.ListAsync(filter, Cancellation)).Entries);
        Assert.Single((await reports.ListAsync(filter, Cancellation)).Entries);
    }

    [Fact]
    public async Task A_job_of_an_instance_runs_in_it_and_its_tasks_are_read_by_its_key()
    {
        using var host = Host();
        await host.StartAsync(Cancellation);

        var run = Assert.Single(await _ran.WaitForAsync(1, "nightly"));
        Assert.Equal("nightly", run);
        var job = await host.Services.GetRequiredKeyedService<IJobService>("reports").GetByNameAsync("nightly", Cancellation);
        Assert.NotNull(job);
        Assert.Null(await host.Services.GetRequiredService<IJobService>().GetByNameAsync("nightly", Cancellation));
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task An_instance_works_without_one_that_has_no_name()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(_ran);
        var alone = builder.Services.AddTaskRecovery("reports").UseSqlite(_reports.ConnectionString).AddWorker<Print, Printer>("print");
        alone.InstanceServices.AddPatience();
        using var host = builder.Build();
        await host.StartAsync(Cancellation);

        await host.Services.GetRequiredKeyedService<IJobQueue>("reports").EnqueueAsync(new Print("alone"), cancellationToken: Cancellation);

        Assert.Equal(["alone in default"], await _ran.WaitForAsync(1));
        Assert.Null(host.Services.GetService<IJobQueue>());
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Metrics_and_logs_say_which_instance_they_belong_to()
    {
        var log = new Categories();
        using var host = Host(log);
        var tags = new List<string?>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (instrument.Name == TaskRecoveryDiagnostics.Enqueued
                && instrument.Meter.Scope == host.Services.GetRequiredService<IMeterFactory>())
            {
                it.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, _, _) => tags.Add(
            instrument.Meter.Tags?.FirstOrDefault(tag => tag.Key == TaskRecoveryDiagnostics.InstanceTag).Value as string));
        listener.Start();
        await host.StartAsync(Cancellation);

        await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Print("a"), cancellationToken: Cancellation);
        await host.Services.GetRequiredKeyedService<IJobQueue>("reports").EnqueueAsync(new Print("b"), cancellationToken: Cancellation);
        await _ran.WaitForAsync(2);
        await host.StopAsync(Cancellation);

        Assert.Equal([null, "reports"], tags);
        var ours = log.Names.Where(static name => name.StartsWith("TaskRecovery.", StringComparison.Ordinal)).ToArray();
        Assert.Contains(ours, static name => name.EndsWith("[reports]", StringComparison.Ordinal));
        Assert.Contains(ours, static name => !name.EndsWith(']'));
    }

    [Fact]
    public async Task Each_instance_has_a_health_check()
    {
        using var host = Host();
        var health = host.Services.GetRequiredService<HealthCheckService>();

        var before = await health.CheckHealthAsync(Cancellation);
        await host.StartAsync(Cancellation);
        await _ran.WaitForAsync(1, "nightly");
        var after = await UntilHealthyAsync(health);
        await host.StopAsync(Cancellation);

        Assert.Equal(["taskrecovery", "taskrecovery-reports"], before.Entries.Keys.Order());
        Assert.All(before.Entries.Values, entry => Assert.Equal(HealthStatus.Unhealthy, entry.Status));
        Assert.All(after.Entries.Values, entry => Assert.Equal(HealthStatus.Healthy, entry.Status));
    }

    [Fact]
    public async Task Logs_of_runs_are_kept_by_the_instance_that_ran_them()
    {
        using var host = Host();
        await host.StartAsync(Cancellation);
        var reports = host.Services.GetRequiredKeyedService<IJobQueue>("reports");

        var monitor = host.Services.GetRequiredKeyedService<IQueueMonitor>("reports");

        var entry = await reports.EnqueueAsync(new Print("kept"), cancellationToken: Cancellation);
        await _ran.WaitForAsync(1);
        await PatientHosts.UntilAsync(async () => (await monitor.ListLogAsync(entry.Id, Cancellation)).Count > 0);
        await host.StopAsync(Cancellation);

        var lines = await monitor.ListLogAsync(entry.Id, Cancellation);
        Assert.Equal("printing kept", Assert.Single(lines).Message);
    }

    [Fact]
    public async Task A_host_that_is_disposed_without_a_stop_reports_no_failure()
    {
        var log = new Categories();
        var host = Host(log);
        await host.StartAsync(Cancellation);
        await _ran.WaitForAsync(1, "nightly");
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var service = host.Services.GetServices<IHostedService>().OfType<NamedInstanceHost>().Single();

        host.Dispose();

        await service.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        Assert.False(stopping.IsCancellationRequested);
        Assert.DoesNotContain(log.Lines.Entries, static line => line.Level >= LogLevel.Error);
    }

    [Fact]
    public void Options_are_bound_and_checked_for_each_instance()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Reports:Queues:night:Concurrency", "0")]);
        builder.Services.AddTaskRecovery("reports", builder.Configuration.GetSection("Reports")).UseSqlite(_reports.ConnectionString);
        using var host = builder.Build();

        var refused = Assert.ThrowsAny<Exception>(() => host.Start());

        Assert.Contains("night", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_call_returns_the_same_instance()
    {
        var services = new ServiceCollection();

        var first = services.AddTaskRecovery("reports");
        var again = services.AddTaskRecovery("reports");
        var other = services.AddTaskRecovery("other");
        var unnamed = services.AddTaskRecovery();

        Assert.Same(first.InstanceServices, again.InstanceServices);
        Assert.NotSame(first.InstanceServices, other.InstanceServices);
        Assert.Same(services, unnamed.InstanceServices);
        Assert.Equal(("reports", "reports", "other", null), (first.Name, again.Name, other.Name, unnamed.Name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\nbreak")]
    [InlineData("a23456789012345678901234567890123456789012345678901")]
    public void A_name_that_can_not_be_a_tag_is_refused(string name)
    {
        var refused = Assert.Throws<ArgumentException>(() => new ServiceCollection().AddTaskRecovery(name));

        Assert.Contains("can't be the name of an instance", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public async Task An_unknown_name_and_a_missing_store_are_named()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddTaskRecovery("reports");
        services.AddHealthChecks().AddTaskRecovery("repots");
        await using var provider = services.BuildServiceProvider();

        var noStore = Assert.Throws<InvalidOperationException>(() => provider.GetRequiredKeyedService<IJobQueue>("reports"));
        var unknown = await Assert.ThrowsAsync<InvalidOperationException>(
            () => provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation));

        Assert.Contains("named instance", noStore.Message, StringComparison.Ordinal);
        Assert.Contains("'repots'", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("name: \"repots\"", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_worker_whose_service_is_missing_fails_the_start_of_the_host()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery("reports").UseSqlite(_reports.ConnectionString).AddWorker<Print, Printer>("print");
        using var host = builder.Build();

        var refused = Assert.Throws<InvalidOperationException>(() => host.Start());

        Assert.Contains(nameof(Ran), refused.Message, StringComparison.Ordinal);
    }

    private IHost Host(ILoggerProvider? log = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(_ran);
        if (log is not null)
        {
            builder.Logging.AddProvider(log);
        }

        builder.Services.AddTaskRecovery().UseSqlite(_shop.ConnectionString).AddWorker<Print, Printer>("print");
        var reports = builder.Services.AddTaskRecovery("reports")
            .UseSqlite(_reports.ConnectionString)
            .AddQueue("default")
            .AddQueue("night")
            .AddWorker<Print, Printer>("print", options => options.KeepRunLog = true)
            .AddTaskHandler<Nightly, NightlyHandler>("nightly")
            .AddIntervalJob("nightly", TimeSpan.FromHours(24), new Nightly());
        reports.InstanceServices.AddPatience();
        builder.Services.AddHealthChecks().AddTaskRecovery().AddTaskRecovery("reports");
        return builder.Build();
    }

    // The node of the instance without a job may still be registering.
    private static async Task<HealthReport> UntilHealthyAsync(HealthCheckService health)
    {
        for (var started = TimeProvider.System.GetTimestamp(); ;)
        {
            var report = await health.CheckHealthAsync(Cancellation);
            if (report.Status == HealthStatus.Healthy || TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromMinutes(2))
            {
                return report;
            }

            await Task.Delay(20, Cancellation);
        }
    }

    private sealed record Print(string Text);

    private sealed record Nightly;

    private sealed class Printer(Ran ran, ILogger<Printer> log) : IJobWorker<Print>
    {
        public Task WorkAsync(WorkContext<Print> context, CancellationToken cancellationToken)
        {
            log.Log(LogLevel.Information, default, context.Args.Text, null, static (text, _) => "printing " + text);
            ran.Add($"{context.Args.Text} in {context.Queue}");
            return Task.CompletedTask;
        }
    }

    private sealed class NightlyHandler(Ran ran) : ITaskHandler<Nightly>
    {
        public Task RunAsync(TaskContext<Nightly> context, CancellationToken cancellationToken)
        {
            ran.Add("nightly");
            return Task.CompletedTask;
        }
    }

    private sealed class Ran
    {
        private readonly List<string> _texts = [];

        public void Add(string text)
        {
            lock (_texts)
            {
                _texts.Add(text);
            }
        }

        public async Task<IReadOnlyList<string>> WaitForAsync(int count, string? only = null)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            patience.CancelAfter(TimeSpan.FromMinutes(2));
            while (true)
            {
                lock (_texts)
                {
                    string[] found = [.. _texts.Where(text => only is null ? text != "nightly" : text == only)];
                    if (found.Length >= count)
                    {
                        return found;
                    }
                }

                await Task.Delay(10, patience.Token);
            }
        }
    }

    private sealed class Categories : ILoggerProvider
    {
        private readonly List<string> _names = [];

        public RecordedLog Lines { get; } = new();

        public IReadOnlyList<string> Names
        {
            get
            {
                lock (_names)
                {
                    return [.. _names];
                }
            }
        }

        public ILogger CreateLogger(string categoryName)
        {
            lock (_names)
            {
                _names.Add(categoryName);
            }

            return Lines;
        }

        public void Dispose()
        {
        }
    }
}
