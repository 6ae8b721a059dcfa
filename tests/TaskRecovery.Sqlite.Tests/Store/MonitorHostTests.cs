using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Monitoring;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>The monitor and the operator over a host with workers, and from a process that is no node.</summary>
public sealed class MonitorHostTests : IDisposable
{
    private static readonly AuditInfo Anna = new("anna", "test") { Tool = "tests" };

    private readonly TemporaryDatabase _file = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task What_a_host_did_is_read_by_a_process_that_is_no_node()
    {
        var id = await RunOneAsync();
        await using var tool = Tool();
        var monitor = tool.GetRequiredService<IQueueMonitor>();

        var life = await monitor.GetLifeAsync(id, null, Cancellation);
        var log = await monitor.ListLogAsync(id, Cancellation);
        var day = (await monitor.GetSnapshotAsync(Cancellation)).LastDay;
        var now = DateTimeOffset.UtcNow;
        var throughput = await monitor.GetThroughputAsync(
            new ThroughputQuery { From = now.AddHours(-1), To = now.AddMinutes(1), By = ThroughputGrouping.Kind }, Cancellation);
        var node = Assert.Single(await monitor.ListNodesAsync(Cancellation));

        Assert.Equal(
            (EntryState.Completed, 10L, 10L, "ready"),
            (life!.Entry.State, life.Progress!.Done, life.Progress.Total!.Value, life.Progress.Message));
        Assert.Equal([("rendering page 1", LogLevel.Information), ("done", LogLevel.Warning)], log.Select(
            line => (line.Message, line.Level)));
        Assert.Equal((1L, 1L), (day.Enqueued, day.Completed));
        Assert.Equal(
            ("render", 1L), (Assert.Single(throughput.Series).Name, throughput.Series[0].Points.Sum(point => point.Totals.Completed)));
        Assert.Equal((NodeState.Left, "render"), (node.State, Assert.Single(node.Kinds)));
        Assert.Equal(new NodeQueue("default", 20), Assert.Single(node.Queues));
        Assert.NotNull(node.LibraryVersion);
        Assert.Equal([QueueEventKind.NodeLeft, QueueEventKind.NodeJoined], (await monitor.ListEventsAsync(
            new EventQuery(), Cancellation)).Events.Select(happened => happened.Kind));
    }

    [Fact]
    public async Task A_pause_that_is_over_is_refused_with_the_name_of_the_argument()
    {
        await using var tool = Tool();
        await tool.GetRequiredService<IStoreMigrator>().MigrateAsync(Cancellation);
        var (jobs, operate) = (tool.GetRequiredService<IJobService>(), tool.GetRequiredService<IQueueOperator>());
        var job = await jobs.CreateOrUpdateAsync(
            new JobDefinition("sweep", Schedule.Every(TimeSpan.FromHours(1))), new Render(1), Cancellation);
        var until = await operate.GetTimeAsync(Cancellation) - TimeSpan.FromSeconds(1);

        var service = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => jobs.PauseAsync(job.Id, until: until, cancellationToken: Cancellation));
        foreach (var target in (PauseTarget[])[PauseTarget.Job(job.Id), PauseTarget.Queue("mail", mayBeNew: true)])
        {
            var refused = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
                async () => await operate.PauseAsync(target, Anna, until, Cancellation));
            Assert.Equal("until", refused.ParamName);
        }

        Assert.Equal("until", service.ParamName);
        Assert.Contains("by the store's clock it is", service.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tool_cancels_previews_continues_and_undoes_without_a_node()
    {
        await using var tool = Tool();
        await tool.GetRequiredService<IStoreMigrator>().MigrateAsync(Cancellation);
        var (queue, monitor, operate) =
            (tool.GetRequiredService<IJobQueue>(), tool.GetRequiredService<IQueueMonitor>(), tool.GetRequiredService<IQueueOperator>());
        await queue.EnqueueManyAsync(Enumerable.Range(0, 700).Select(page => EnqueueRequest.Create(
            new Render(page), new EnqueueOptions { RunAfter = TimeSpan.FromHours(1) })), cancellationToken: Cancellation);

        var preview = await operate.PreviewAsync(
            new BulkRequest { Action = BulkAction.Cancel, Query = new EntryQuery { Kind = "render" } }, Anna, Cancellation);
        var started = await operate.StartAsync(preview.OperationId, Anna, Cancellation);
        var ended = await ContinueAsync(operate, preview.OperationId);
        var cancelled = await monitor.GroupAsync(new EntryQuery(), EntryGrouping.State, Cancellation);
        var undo = await operate.UndoAsync(preview.OperationId, Anna, Cancellation);
        await ContinueAsync(operate, undo.Operation!.Id);
        var restored = Assert.Single((await monitor.GetSnapshotAsync(Cancellation)).Queues);

        Assert.Equal((new Count(700), 10), (preview.Entries, preview.Sample.Count));
        Assert.Equal((OperationResult.Done, 700L), (started.Result, ended.Done));
        Assert.Equal(("Cancelled", 700L), (Assert.Single(cancelled.Groups).Key, cancelled.Groups[0].Entries.Value));
        Assert.Equal((new Count(0), new Count(700)), (restored.Due, restored.Later));
        Assert.Empty(await monitor.ListNodesAsync(Cancellation));
    }

    [Fact]
    public async Task A_preview_counts_shows_and_fixes_the_same_entries()
    {
        await using var tool = Tool(storesDuringPreview: true);
        await tool.GetRequiredService<IStoreMigrator>().MigrateAsync(Cancellation);
        var (queue, operate) = (tool.GetRequiredService<IJobQueue>(), tool.GetRequiredService<IQueueOperator>());
        var counted = await queue.EnqueueAsync(new Render(1), cancellationToken: Cancellation);

        var preview = await operate.PreviewAsync(
            new BulkRequest { Action = BulkAction.Cancel, Query = new EntryQuery { Kind = "render" } }, Anna, Cancellation);
        await operate.StartAsync(preview.OperationId, Anna, Cancellation);
        var ended = await ContinueAsync(operate, preview.OperationId);

        Assert.Equal((new Count(1), counted.Id), (preview.Entries, preview.UpToId));
        Assert.Equal(counted.Id, Assert.Single(preview.Sample).Id);
        Assert.Equal(1, ended.Done);
        Assert.Equal(1, (await queue.CountAsync(cancellationToken: Cancellation)).Due.Value);
    }

    [Fact]
    public async Task A_paused_queue_is_resumed_by_the_work_of_a_node()
    {
        await using var tool = Tool();
        await tool.GetRequiredService<IStoreMigrator>().MigrateAsync(Cancellation);
        var operate = tool.GetRequiredService<IQueueOperator>();
        await operate.PauseAsync(
            PauseTarget.Queue("default", mayBeNew: true), Anna, until: DateTimeOffset.UtcNow.AddHours(1), Cancellation);
        _file.Execute("update taskrecovery_queues set paused_until_at = 1");

        await RunOneAsync();

        Assert.Null(Assert.Single(await tool.GetRequiredService<IQueueMonitor>().ListQueuesAsync(Cancellation)).Pause);
    }

    [Fact]
    public async Task What_the_code_of_the_application_does_is_recorded_with_its_name()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "shop" });
        builder.Services.AddTaskRecovery().UseSqlite(_file.ConnectionString).AddKind<Render>("render");
        using var host = builder.Build();
        await host.Services.GetRequiredService<IStoreMigrator>().MigrateAsync(Cancellation);
        var (queue, jobs) = (host.Services.GetRequiredService<IJobQueue>(), host.Services.GetRequiredService<IJobService>());
        var entry = await queue.EnqueueAsync(new Render(1), cancellationToken: Cancellation);
        var job = await jobs.CreateOrUpdateAsync(
            new JobDefinition("nightly", Schedule.Every(TimeSpan.FromDays(1))), new Render(2), Cancellation);

        await queue.CancelAsync(entry.Id, Cancellation);
        await queue.RetryAsync(entry.Id, cancellationToken: Cancellation);
        await queue.EraseAsync(EraseTarget.Entry(entry.Id), Cancellation);
        await queue.PauseAsync("default", Cancellation);
        await queue.ResumeAsync("default", Cancellation);
        await jobs.PauseAsync(job.Id, "a holiday", cancellationToken: Cancellation);
        await jobs.PauseAsync(job.Id, actor: "anna", cancellationToken: Cancellation);
        await jobs.ResumeAsync(job.Id, Cancellation);
        await jobs.TriggerNowAsync(job.Id, cancellationToken: Cancellation);
        await jobs.DeleteAsync(job.Id, Cancellation);

        var events = (await host.Services.GetRequiredService<IQueueMonitor>().ListEventsAsync(
            new EventQuery(), Cancellation)).Events.Reverse().ToList();
        Assert.Equal(
            [
                QueueEventKind.EntryCancelled, QueueEventKind.EntryRetried,
                QueueEventKind.EntryErased, QueueEventKind.Paused, QueueEventKind.Resumed,
                QueueEventKind.Paused, QueueEventKind.Paused, QueueEventKind.Resumed,
                QueueEventKind.JobTriggered, QueueEventKind.JobDeleted,
            ],
            events.Select(happened => happened.Kind));
        Assert.All(events, happened => Assert.Equal(
            happened == events[6] ? ("anna", null) : ("shop", "application"), (happened.Actor, happened.Tool)));
        Assert.Equal("a holiday", events[5].Reason);
    }

    /// <summary>A host whose services stop concurrently stops these loops while entries still run.</summary>
    [Fact]
    public async Task What_a_run_leaves_after_the_loops_that_store_it_have_stopped_is_stored()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        builder.Services.AddPatience().AddSingleton(started);
        builder.Services.AddTaskRecovery().UseSqlite(_file.ConnectionString)
            .AddWorker<Render, LateRenderer>("render", worker => worker.KeepRunLog = true);
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        var entry = await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Render(1), cancellationToken: Cancellation);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        await host.Services.GetRequiredService<RunLogLoop>().StopAsync(Cancellation);
        await host.Services.GetRequiredService<StatisticsLoop>().StopAsync(Cancellation);

        host.Dispose();

        await using var tool = Tool();
        var monitor = tool.GetRequiredService<IQueueMonitor>();
        Assert.Equal("late", Assert.Single(await monitor.ListLogAsync(entry.Id, Cancellation)).Message);
        Assert.Equal(1L, (await monitor.GetSnapshotAsync(Cancellation)).LastDay.Completed);
    }

    private static async Task<BulkOperation> ContinueAsync(IQueueOperator operate, long operationId)
    {
        while (true)
        {
            var operation = await operate.ContinueAsync(operationId, Cancellation);
            if (operation!.State != OperationState.Running)
            {
                return operation;
            }
        }
    }

    private ServiceProvider Tool(bool storesDuringPreview = false)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddTaskRecovery().UseSqlite(_file.ConnectionString).AddKind<Render>("render");
        if (storesDuringPreview)
        {
            var monitor = services.Last(static service => service.ServiceType == typeof(IMonitorStore)).ImplementationFactory!;
            services.AddSingleton(provider => BusyMonitor.Over(
                (IMonitorStore)monitor(provider),
                () => provider.GetRequiredService<IJobQueue>().EnqueueAsync(new Render(2)).AsTask().Wait()));
        }

        return services.BuildServiceProvider();
    }

    /// <summary>A read model during whose lists an entry is stored.</summary>
    [SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives a class from it.")]
    private class BusyMonitor : DispatchProxy
    {
        private IMonitorStore? _inner;
        private Action? _store;

        public static IMonitorStore Over(IMonitorStore inner, Action store)
        {
            var monitor = Create<IMonitorStore, BusyMonitor>();
            (((BusyMonitor)(object)monitor)._inner, ((BusyMonitor)(object)monitor)._store) = (inner, store);
            return monitor;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod!.Name == nameof(IMonitorStore.ListAsync))
            {
                _store!();
            }

            return targetMethod.Name == $"get_{nameof(IMonitorStore.Current)}" ? this : targetMethod.Invoke(_inner, args);
        }
    }

    private async Task<long> RunOneAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        builder.Services.AddPatience().AddSingleton(ran);
        builder.Services.AddTaskRecovery(options => options.NodeName = "worker").UseSqlite(_file.ConnectionString)
            .AddWorker<Render, Renderer>("render", worker => worker.KeepRunLog = true);
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        var entry = await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Render(1), cancellationToken: Cancellation);
        await ran.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        var (logs, statistics) = (host.Services.GetRequiredService<RunLogLoop>(), host.Services.GetRequiredService<StatisticsLoop>());
        var monitor = host.Services.GetRequiredService<IQueueMonitor>();
        await PatientHosts.UntilAsync(async () =>
        {
            await logs.StoreOnceAsync(Cancellation);
            await statistics.StoreOnceAsync(Cancellation);
            return (await monitor.ListLogAsync(entry.Id, Cancellation)).Count == 2
                && (await monitor.GetSnapshotAsync(Cancellation)).LastDay.Completed == 1;
        });
        await host.StopAsync(Cancellation);
        return entry.Id;
    }

    public sealed record Render(int Page);

    public sealed class Renderer(ILogger<Renderer> logger, TaskCompletionSource ran) : IJobWorker<Render>
    {
        public async Task WorkAsync(WorkContext<Render> context, CancellationToken cancellationToken)
        {
            logger.LogInformation("rendering page {Page}", context.Args.Page);
            await context.ReportProgressAsync(1, 10, "first", cancellationToken);
            await context.ReportProgressAsync(2, 10, "not stored: within a second", cancellationToken);
            await context.ReportProgressAsync(10, 10, "ready", cancellationToken);
            logger.LogWarning("done");
            ran.TrySetResult();
        }
    }

    /// <summary>Logs when its node stops.</summary>
    public sealed class LateRenderer(ILogger<LateRenderer> logger, TaskCompletionSource started) : IJobWorker<Render>
    {
        public async Task WorkAsync(WorkContext<Render> context, CancellationToken cancellationToken)
        {
            started.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            logger.LogInformation("late");
        }
    }
}
