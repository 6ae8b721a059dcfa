using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using TaskRecovery;
using TaskRecovery.Claims;
using TaskRecovery.Configuration;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Instances;
using TaskRecovery.Kinds;
using TaskRecovery.Monitoring;
using TaskRecovery.Nodes;
using TaskRecovery.Operations;
using TaskRecovery.Queue;
using TaskRecovery.Recovery;
using TaskRecovery.Startup;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds TaskRecovery to a host.</summary>
public static class TaskRecoveryServiceCollectionExtensions
{
    /// <summary>Adds the queue, jobs, tasks and their recovery. On the returned builder, select a store (<c>UsePostgreSql</c>,
    /// <c>UseSqlite</c>) and register workers. Safe to call twice.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Sets options. Runs after the options bound from configuration are applied.</param>
    public static TaskRecoveryBuilder AddTaskRecovery(this IServiceCollection services, Action<TaskRecoveryOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (configure is not null)
        {
            services.Configure(configure);
        }

        return Add(services);
    }

    /// <summary>Adds the queue, jobs, tasks and their recovery, with options bound from configuration, including the sections of the store
    /// (<c>PostgreSql</c>, <c>Sqlite</c>) and of workers (<c>Workers</c>). A name that is not an option causes an error. Safe to call
    /// twice.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">The section that holds the options, for example <c>configuration.GetSection("TaskRecovery")</c>.</param>
    public static TaskRecoveryBuilder AddTaskRecovery(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        Bind(services, configuration);
        return Add(services);
    }

    /// <summary>Adds a further instance of TaskRecovery with a store, options, queues, workers, node and metrics of its own, beside the one
    /// without a name or alone. A process can so serve several databases, or a local SQLite file and a shared PostgreSQL.</summary>
    /// <remarks>Its services have its name as their key: <c>[FromKeyedServices("reports")] IJobQueue queue</c>. So have
    /// <see cref="IJobService"/>, <see cref="ITaskService"/>, <see cref="IQueueMonitor"/>, <see cref="IQueueOperator"/>,
    /// <see cref="IStoreMigrator"/> and <see cref="IPayloadReader"/>. Workers and task handlers are created from the application's
    /// services. <c>AddTaskRecoveryDashboard("reports")</c> adds its dashboard.</remarks>
    /// <param name="services">The host's services.</param>
    /// <param name="name">The name of the instance: 1 to 50 letters, digits, dots, hyphens or underscores. Calling this again with the same
    /// name returns a builder of the same instance.</param>
    /// <param name="configure">Sets options. Runs after the options bound from configuration are applied.</param>
    /// <exception cref="ArgumentException">The name is invalid.</exception>
    public static TaskRecoveryBuilder AddTaskRecovery(
        this IServiceCollection services, string name, Action<TaskRecoveryOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var instance = AddInstance(services, name);
        if (configure is not null)
        {
            instance.Services.Configure(configure);
        }

        return new TaskRecoveryBuilder(services, instance);
    }

    /// <summary>As <see cref="AddTaskRecovery(IServiceCollection, string, Action{TaskRecoveryOptions})"/>, with options bound from
    /// configuration.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">The name of the instance.</param>
    /// <param name="configuration">The section that holds the options, for example <c>configuration.GetSection("Reports")</c>.</param>
    /// <exception cref="ArgumentException">The name is invalid.</exception>
    public static TaskRecoveryBuilder AddTaskRecovery(this IServiceCollection services, string name, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        var instance = AddInstance(services, name);
        Bind(instance.Services, configuration);
        return new TaskRecoveryBuilder(services, instance);
    }

    internal static KindRegistrations Kinds(this TaskRecoveryBuilder builder)
        => builder.Registered<KindRegistrations>().First();

    /// <summary>The objects of a type that were registered with this instance.</summary>
    internal static IEnumerable<T> Registered<T>(this TaskRecoveryBuilder builder)
        => builder.InstanceServices.Registered<T>();

    // Configuration comes before the code, whatever the order of the calls, and after earlier configuration.
    private static void Bind(IServiceCollection services, IConfiguration configuration)
    {
        var place = 0;
        for (var i = 0; i < services.Count; i++)
        {
            if (services[i] is { IsKeyedService: false, ImplementationInstance: TaskRecoveryOptionsBinder })
            {
                place = i + 1;
            }
        }

        services.Insert(
            place, ServiceDescriptor.Singleton<IConfigureOptions<TaskRecoveryOptions>>(new TaskRecoveryOptionsBinder(configuration)));
        services.AddSingleton(new StoreConfiguration(configuration));
    }

    private static TaskRecoveryBuilder Add(IServiceCollection services)
    {
        if (!services.Any(service => service.ServiceType == typeof(KindRegistrations)))
        {
            services.AddSingleton(static provider => new ApplicationServices(provider));
            AddServices(services, application: services);
        }

        return new TaskRecoveryBuilder(services);
    }

    private static InstanceRegistration AddInstance(IServiceCollection services, string name)
    {
        InstanceRegistration.CheckName(name);
        if (InstanceRegistration.Find(services, name) is { } existing)
        {
            return existing;
        }

        var instance = new InstanceRegistration(name, new ServiceCollection(), InstanceRegistration.NextGroup(services));
        AddServices(instance.Services, application: services, name);
        services.AddSingleton(instance);
        services.AddKeyedSingleton(name, (provider, _) => new NamedInstance(instance, provider));
        services.TryAddSingleton<InstanceStarts>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<InstanceStarts>()
            .NewHost(NamedInstance.Of(provider, name), instance.Group));
        Export<IJobQueue>();
        Export<IJobService>();
        Export<ITaskService>();
        Export<IQueueMonitor>();
        Export<IQueueOperator>();
        Export<IStoreMigrator>();
        Export<IPayloadReader>();
        return instance;

        void Export<T>()
            where T : class
            => services.AddKeyedSingleton(
                name, (provider, _) => NamedInstance.Of(provider, name).Services.GetRequiredService<T>());
    }

    private static void AddServices(IServiceCollection services, IServiceCollection application, string? instance = null)
    {
        services.AddOptions<TaskRecoveryOptions>().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IValidateOptions<TaskRecoveryOptions>, TaskRecoveryOptionsValidator>();
        services.AddSingleton<IValidateOptions<TaskRecoveryOptions>>(
            provider => new OwnBindingValidator<TaskRecoveryOptions>(provider, instance));
        var kinds = new KindRegistrations();
        services.AddSingleton(kinds);
        services.AddSingleton(new OtherInstances(() => InstanceRegistration.ListKinds(application), kinds));
        services.AddSingleton<KindRegistry>();
        services.AddSingleton<KindRunners>();
        services.AddSingleton<WorkerSettings>();
        services.AddSingleton<PayloadCodecs>();
        services.AddSingleton<IPayloadReader>(static provider => provider.GetRequiredService<PayloadCodecs>());
        services.AddSingleton<EntryJson>();
        services.AddSingleton<WorkPipeline>();
        services.AddSingleton(new RegisteredServices(application));
        services.AddSingleton<ConstructorCheck>();
        services.AddSingleton<SetupCheck>();
        services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<SetupCheck>());
        services.TryAddSingleton<IQueueStore>(static _ => throw NoStore());
        services.AddSingleton<IStoreLifecycle>(static provider => provider.GetRequiredService<IQueueStore>());
        services.AddSingleton<IEntryStore>(static provider => provider.GetRequiredService<IQueueStore>());
        services.AddSingleton<IRecoveryStore>(static provider => provider.GetRequiredService<IQueueStore>());
        services.AddSingleton<IOperatorStore>(static provider => provider.GetRequiredService<IQueueStore>());
        services.AddSingleton<IStoreSignals>(static provider => provider.GetRequiredService<IQueueStore>());
        services.TryAddSingleton<IJobStore>(static _ => throw NoStore());
        services.TryAddSingleton<IMonitorStore, NoMonitorStore>();
        services.AddNodes();
        services.AddJobs();
        services.AddQueue();
        services.AddMonitoring();
    }

    private static InvalidOperationException NoStore()
        => new("TaskRecovery has no store. Call UsePostgreSql(...) (package TaskRecovery.PostgreSql) or UseSqlite(...) (package "
            + "TaskRecovery.Sqlite) on what AddTaskRecovery() returns, and on what it returns for each named instance.");

    // Before the hosted services that run entries: the host stops its services in reverse order.
    private static void AddNodes(this IServiceCollection services)
    {
        services.TryAddSingleton<Metrics>();
        services.TryAddSingleton<Tracing>();
        services.TryAddSingleton<StartupGate>();
        services.TryAddSingleton<OutageReporter>();
        services.TryAddSingleton<IFailingLoops>(provider => provider.GetRequiredService<OutageReporter>());
        services.TryAddSingleton<StoreLoopServices>();
        services.TryAddSingleton<NodeSignals>();
        services.TryAddSingleton<NodeService>();
        services.TryAddSingleton<ICurrentNode>(provider => provider.GetRequiredService<NodeService>());
        services.TryAddSingleton<IFleet>(provider => provider.GetRequiredService<NodeService>());
        services.TryAddSingleton<TaskRecoverer>();
        services.TryAddSingleton<StartupRecovery>();
        services.TryAddSingleton<RecoverySweeper>();
        services.TryAddSingleton<FullRecoveryLoop>();
        services.TryAddSingleton<ClaimReconciler>();
        services.TryAddSingleton<RetentionLoop>();
        services.TryAddSingleton<QueueDepths>();
        services.TryAddSingleton<QueueDepthSampler>();
        services.TryAddSingleton<StatisticsLoop>();

        Host<NodeService>();
        Host<StartupRecovery>();
        Host<RecoverySweeper>();
        Host<FullRecoveryLoop>();
        Host<ClaimReconciler>();
        Host<RetentionLoop>();
        Host<QueueDepthSampler>();
        Host<StatisticsLoop>();

        void Host<T>()
            where T : class, IHostedService
            => services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, T>(provider => provider.GetRequiredService<T>()));
    }

    private static void AddMonitoring(this IServiceCollection services)
    {
        services.TryAddSingleton<IOperationStore, NoOperationStore>();
        services.AddSingleton<ApplicationActor>();
        services.AddSingleton<IQueueMonitor, QueueMonitor>();
        services.AddSingleton<OperationSignal>();
        services.AddSingleton<IQueueOperator, QueueOperator>();
        services.AddSingleton<OperationLoop>();
        services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<OperationLoop>());
    }

    private static void AddQueue(this IServiceCollection services)
    {
        services.AddSingleton<OwnTransaction>();
        services.AddSingleton<EntryFactory>();
        services.AddSingleton<LocalClaimers>();
        services.AddSingleton<ClaimWaker>();
        services.AddSingleton<IClaimWaker>(static provider => provider.GetRequiredService<ClaimWaker>());
        services.AddSingleton<EntryWriter>();
        services.AddSingleton<JobQueue>();
        services.AddSingleton<IJobQueue>(static provider => provider.GetRequiredService<JobQueue>());
        services.AddSingleton(static provider => new SuspectLimiter(
            provider.GetRequiredService<IOptions<TaskRecoveryOptions>>().Value.Recovery.MaxCrashes,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<OutcomeWriter>();
        services.AddSingleton<ProgressWriter>();
        services.AddSingleton<OutcomeSink>();
        services.AddSingleton<ClaimRemover>();
        services.AddSingleton<WorkServices>();
        services.AddSingleton<WorkService>();
        services.AddSingleton<INodeRole, WorkRole>();
        services.AddSingleton<INodeDescription, NodeDescription>();
        services.AddSingleton<RunningWork>();
        services.AddSingleton<INodeVitals>(static provider => provider.GetRequiredService<RunningWork>());
        services.AddSingleton<HintTurns>();
        services.AddSingleton<IHintTurns>(static provider => provider.GetRequiredService<HintTurns>());
        services.AddSingleton<RunLogs>();
        services.AddSingleton<RunLogLoop>();
        services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<RunLogLoop>());
        services.AddSingleton<ILastRound>(static provider => provider.GetRequiredService<RunLogLoop>());
        services.AddSingleton<ILastRound>(static provider => provider.GetRequiredService<StatisticsLoop>());
        services.AddSingleton<IUnresponsiveHandlers>(static provider => provider.GetRequiredService<WorkService>());
        services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<ClaimRemover>());
        services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<WorkService>());
    }
}
