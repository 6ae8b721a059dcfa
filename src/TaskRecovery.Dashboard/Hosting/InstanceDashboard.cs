using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Instances;

namespace TaskRecovery.Dashboard.Hosting;

/// <summary>The dashboard of a named instance: a container of its own for what the dashboard has once, such as the answers that viewers
/// share, the turns of users and the options. So no page can read another instance.</summary>
internal sealed class InstanceDashboard(string name, IServiceCollection parts, IServiceProvider application) : IAsyncDisposable, IDisposable
{
    private readonly Lazy<ServiceProvider> _services = new(() => Build(name, parts, application));

    public IServiceProvider Services => _services.Value;

    public void Dispose()
    {
        if (_services.IsValueCreated)
        {
            _services.Value.Dispose();
        }
    }

    public ValueTask DisposeAsync() => _services.IsValueCreated ? _services.Value.DisposeAsync() : default;

    // An object that is passed to a container is not disposed with it.
    private static ServiceProvider Build(string name, IServiceCollection parts, IServiceProvider application)
    {
        var services = new ServiceCollection();
        foreach (var part in parts)
        {
            ((IServiceCollection)services).Add(part);
        }

        services.AddSingleton(new DashboardInstance(name));
        services.AddSingleton(Options.Create(application.GetRequiredService<IOptionsMonitor<DashboardOptions>>().Get(name)));
        services.AddSingleton<ILoggerFactory>(new NamedLoggerFactory(application.GetRequiredService<ILoggerFactory>(), name));
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddSingleton(application.GetKeyedService<IQueueMonitor>(name) ?? throw NoInstance(name));
        services.AddSingleton(application.GetRequiredKeyedService<IQueueOperator>(name));
        services.AddSingleton(application.GetRequiredKeyedService<IJobService>(name));
        services.AddSingleton(application.GetRequiredKeyedService<IPayloadReader>(name));
        services.AddSingleton(application.GetRequiredService<TimeProvider>());
        services.AddSingleton(application.GetRequiredService<IHostEnvironment>());
        if (application.GetService<IAuthenticationSchemeProvider>() is { } schemes)
        {
            services.AddSingleton(schemes);
        }

        return services.BuildServiceProvider();
    }

    private static InvalidOperationException NoInstance(string name)
        => new($"The dashboard of the instance '{name}' is added, but TaskRecovery has no instance of that name. "
            + $"Add it: services.AddTaskRecovery(\"{name}\").");
}
