using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery;
using TaskRecovery.Claims;
using TaskRecovery.Hosting;
using TaskRecovery.Kinds;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Sqlite;
using TaskRecovery.Storage;
using TaskRecovery.Testing;
using TaskRecovery.Testing.Hosts;
using TaskRecovery.Workers;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts an application under test.</summary>
public static class TaskRecoveryTestingServiceCollectionExtensions
{
    /// <summary>Keeps the queue in a temporary SQLite file, and runs entries only when the test says so. Call it after
    /// <c>AddTaskRecovery</c>, for example in <c>ConfigureTestServices</c>; everything else stays as the application configured it. Safe to
    /// call twice; the last call counts, except that the store must be the same.</summary>
    /// <remarks>It does not cover named instances (<c>AddTaskRecovery("reports")</c>): they keep their store and run their entries in the
    /// background.</remarks>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Changes the options.</param>
    /// <exception cref="InvalidOperationException"><c>AddTaskRecovery</c> was not called before.</exception>
    public static IServiceCollection AddTaskRecoveryTesting(
        this IServiceCollection services, Action<TaskRecoveryTestingOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (!services.Any(static service => service.ServiceType == typeof(KindRegistrations)))
        {
            throw new InvalidOperationException($"{nameof(AddTaskRecoveryTesting)} was called before AddTaskRecovery: "
                + "call it after the application has registered its services, for example in ConfigureTestServices.");
        }

        var options = new TaskRecoveryTestingOptions();
        configure?.Invoke(options);
        if (services.Select(static service => service.ImplementationInstance).OfType<TaskRecoveryTestingOptions>().Any(
            earlier => earlier.Store != options.Store))
        {
            throw new InvalidOperationException(
                $"{nameof(AddTaskRecoveryTesting)} was called twice, with another {nameof(TaskRecoveryTestingOptions.Store)} each time: "
                + "remove one of the calls.");
        }

        services.Replace(ServiceDescriptor.Singleton(options));
        services.TryAddSingleton<LastError>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<TaskRecoveryOptions>, LastErrorCreator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<SqliteOptions>, LastErrorCreator>());
        services.AddClock(options);
        if (options.Store == TestStore.Sqlite)
        {
            services.UseTestDatabase(options.BusyTimeout);
        }

        services.Replace(ServiceDescriptor.Singleton<RunMonitor, RunMonitor>());
        services.Replace(ServiceDescriptor.Singleton<IRunObserver>(static provider => provider.GetRequiredService<RunMonitor>()));
        services.TryAddSingleton<ServedWork>();
        services.TryAddSingleton<TestEntries>();
        services.AddEngine(options);
        services.TryAddSingleton(static provider => new TaskRecoveryTest(
            provider.GetRequiredService<TestEngine>(),
            provider.GetRequiredService<IQueueStore>(),
            provider.GetRequiredService<TestClock>(),
            provider.GetRequiredService<TestEntries>(),
            provider.GetRequiredService<TaskRecoveryTestingOptions>(),
            provider.GetRequiredService<LastError>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, TestStart>());
        return services;
    }

    private static void AddClock(this IServiceCollection services, TaskRecoveryTestingOptions options)
    {
        var registered = services.LastOrDefault(static service => service.ServiceType == typeof(TimeProvider));
        if (options.Time is { } time)
        {
            services.Replace(ServiceDescriptor.Singleton(time));
            services.Replace(ServiceDescriptor.Singleton(new TestClock(time)));
        }
        else if (registered?.ImplementationInstance == TimeProvider.System || registered?.ImplementationFactory == ApplicationClockOf)
        {
            services.Replace(ServiceDescriptor.Singleton(new TestClock(null)));
            services.Replace(ServiceDescriptor.Singleton(typeof(TimeProvider), ApplicationClockOf));
        }
        else
        {
            services.Replace(ServiceDescriptor.Singleton(static provider => new TestClock(provider.GetRequiredService<TimeProvider>())));
        }
    }

    private static object ApplicationClockOf(IServiceProvider provider) => new ApplicationClock(provider.GetRequiredService<TestClock>());

    private static void UseTestDatabase(this IServiceCollection services, TimeSpan busyTimeout)
    {
        services.Replace(ServiceDescriptor.Singleton<TestFolder, TestFolder>());
        services.Replace(ServiceDescriptor.Singleton(provider =>
        {
            // The folder and the database are disposed before this one.
            _ = provider.GetRequiredService<LastError>();
            var path = provider.GetRequiredService<TestFolder>().DatabasePath;
            TemplateDatabase.CopyTo(path);

            // A test does not survive a power failure, so no commit waits for the disk.
            return new SqliteDatabase(
                $"Data Source={path}",
                new SqliteOptions { Synchronous = SqliteSynchronous.Normal, MigrateOnStart = false, BusyTimeout = busyTimeout },
                provider.GetRequiredService<TestClock>(),
                provider.GetService<ILogger<SqliteDatabase>>());
        }));
        services.Replace(ServiceDescriptor.Singleton(static provider => new SqliteMigrator(provider.GetRequiredService<SqliteDatabase>())));
        services.Replace(ServiceDescriptor.Singleton<IStoreMigrator>(static provider => provider.GetRequiredService<SqliteMigrator>()));
        services.Replace(ServiceDescriptor.Singleton<IQueueStore>(static provider => new SqliteQueueStore(
            provider.GetRequiredService<SqliteDatabase>(),
            provider.GetRequiredService<SqliteMigrator>(),
            provider.GetRequiredService<SqliteMonitorStore>())));
        services.Replace(ServiceDescriptor.Singleton(
            static provider => new SqliteMonitorStore(provider.GetRequiredService<SqliteDatabase>())));
        services.Replace(ServiceDescriptor.Singleton<IJobStore>(
            static provider => new SqliteJobStore(provider.GetRequiredService<SqliteDatabase>())));
    }

    private static void AddEngine(this IServiceCollection services, TaskRecoveryTestingOptions options)
    {
        if (options.Running == TestRunning.Automatic)
        {
            services.Replace(ServiceDescriptor.Singleton<INodeRole, WorkRole>());
            services.Replace(ServiceDescriptor.Singleton<TestEngine, AutomaticEngine>());
            return;
        }

        services.Replace(ServiceDescriptor.Singleton<INodeRole, ManualRole>());
        services.Replace(ServiceDescriptor.Singleton<TestEngine>(static provider =>
        {
            var naming = new NodeNaming(
                provider.GetRequiredService<IOptions<TaskRecoveryOptions>>().Value.NodeName,
                provider.GetService<IHostEnvironment>()?.ApplicationName);
            var engine = ActivatorUtilities.CreateInstance<ManualEngine>(provider, naming);
            provider.GetRequiredService<KindRunners>().Create();
            foreach (var queue in provider.GetRequiredService<ServedWork>().AllQueues)
            {
                provider.GetRequiredService<LocalClaimers>().Register(queue, engine);
            }

            provider.GetRequiredService<ClaimWaker>().RegisterPoll(engine.PollCancels);
            return engine;
        }));
    }
}
