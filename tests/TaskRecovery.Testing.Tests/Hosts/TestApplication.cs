using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

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
        Action<IServiceCollection>? replace = null)
    {
        var application = Create(work, configure, register, replace);
        await application._host.StartAsync(TestContext.Current.CancellationToken);
        return application;
    }

    public static TestApplication Create(
        Func<WorkContext<Numbers>, CancellationToken, Task> work,
        Action<TaskRecoveryTestingOptions>? configure = null,
        Action<TaskRecoveryBuilder>? register = null,
        Action<IServiceCollection>? replace = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(new ActionWorker<Numbers>(work));

        // In the background a node can lose its lease: as long as a machine may stand still.
        var tasks = builder.Services.AddTaskRecovery(static options => options.Node.Lease = TimeSpan.FromMinutes(5))
            .AddWorker<Numbers, ActionWorker<Numbers>>("numbers");
        register?.Invoke(tasks);
        builder.Services.AddTaskRecoveryTesting(configure);
        replace?.Invoke(builder.Services);
        return new TestApplication(builder.Build());
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}
