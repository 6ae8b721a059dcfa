using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Storage;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>A host whose queue is under test, with one worker that does what the test says.</summary>
internal sealed class TestApplication : IAsyncDisposable
{
    private readonly IHost _host;

    private TestApplication(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    public TaskRecoveryTest Test => Services.GetTaskRecoveryTest();

    public IJobQueue Queue => Services.GetRequiredService<IJobQueue>();

    public static async Task<TestApplication> StartAsync(
        Func<WorkContext<Numbers>, CancellationToken, Task> work,
        Action<TaskRecoveryTestingOptions>? configure = null,
        Action<TaskRecoveryBuilder>? register = null,
        Func<IQueueStore, IQueueStore>? wrap = null)
    {
        var application = Create(work, configure, register, wrap);
        await application._host.StartAsync(TestContext.Current.CancellationToken);
        return application;
    }

    public static TestApplication Create(
        Func<WorkContext<Numbers>, CancellationToken, Task> work,
        Action<TaskRecoveryTestingOptions>? configure = null,
        Action<TaskRecoveryBuilder>? register = null,
        Func<IQueueStore, IQueueStore>? wrap = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(new ActionWorker<Numbers>(work));

        // In the background a node can lose its lease: as long as a machine may stand still.
        var tasks = builder.Services.AddTaskRecovery(static options => options.Node.Lease = TimeSpan.FromMinutes(5))
            .AddWorker<Numbers, ActionWorker<Numbers>>("numbers");
        register?.Invoke(tasks);
        builder.Services.AddTaskRecoveryTesting(configure);
        if (wrap is not null)
        {
            Wrap(builder.Services, wrap);
        }

        return new TestApplication(builder.Build());
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    private static void Wrap(IServiceCollection services, Func<IQueueStore, IQueueStore> wrap)
    {
        var store = services.Last(static service => service.ServiceType == typeof(IQueueStore)).ImplementationFactory!;
        services.AddKeyedSingleton<IQueueStore>("inner", (provider, _) => (IQueueStore)store(provider));
        services.Replace(ServiceDescriptor.Singleton(provider => wrap(provider.GetRequiredKeyedService<IQueueStore>("inner"))));
    }
}
