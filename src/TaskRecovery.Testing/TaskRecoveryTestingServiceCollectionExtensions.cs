using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
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
            TestDatabase.Use(services, options.BusyTimeout);
        }

        services.Replace(ServiceDescriptor.Singleton<RunMonitor, RunMonitor>());
        services.Replace(ServiceDescriptor.Singleton<IRunObserver>(static provider => provider.GetRequiredService<RunMonitor>()));
        services.TryAddSingleton<ServedWork>();
        services.TryAddSingleton<TestEntries>();
        services.TryAddSingleton<UnservedEntries>();
        services.AddEngine(options);
        services.TryAddSingleton<TaskRecoveryTest>(CreateTest);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, TestStart>());
        return services;
    }

    private static TaskRecoveryTest CreateTest(IServiceProvider provider)
    {
        // The host creates its services before it starts one, so nothing has connected yet.
        provider.GetService<TestDatabase>()?.Check(provider);
        return new TaskRecoveryTest(
            provider.GetRequiredService<TestEngine>(),
            provider.GetRequiredService<IQueueStore>(),
            provider.GetRequiredService<TestClock>(),
            provider.GetRequiredService<TestEntries>(),
            provider.GetRequiredService<UnservedEntries>(),
            provider.GetService<TestTables>(),
            provider.GetRequiredService<TaskRecoveryTestingOptions>(),
            provider.GetRequiredService<LastError>());
    }

    private static void AddClock(this IServiceCollection services, TaskRecoveryTestingOptions options)
    {
        var registered = services.LastOrDefault(static service => service.ServiceType == typeof(TimeProvider));
        if (options.Time is { } time)
        {
            services.Replace(ServiceDescriptor.Singleton(time));
            services.Replace(ServiceDescriptor.Singleton(new TestClock(time)));
        }
        else if (options.Store == TestStore.Sqlite
            && (registered?.ImplementationInstance == TimeProvider.System || registered?.ImplementationFactory == ApplicationClockOf))
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
