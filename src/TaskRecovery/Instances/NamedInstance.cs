using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Workers;

namespace TaskRecovery.Instances;

/// <summary>A named instance of TaskRecovery in a running application: a container of its own for everything that an application has once
/// without names, such as the store, the node, the options and the metrics.</summary>
internal sealed class NamedInstance : IAsyncDisposable, IDisposable
{
    private readonly InstanceRegistration _registration;
    private readonly IServiceProvider _application;
    private readonly Lazy<ServiceProvider> _services;

    public NamedInstance(InstanceRegistration registration, IServiceProvider application)
    {
        _registration = registration;
        _application = application;
        _services = new Lazy<ServiceProvider>(Build);
        Logs = new RunLogs(application.GetService<TimeProvider>() ?? TimeProvider.System);
    }

    /// <summary>The instance's own services.</summary>
    public IServiceProvider Services => _services.Value;

    /// <summary>The logs of its runs. The application's loggers write to them, so they are created before the instance, which needs
    /// loggers itself.</summary>
    public RunLogs Logs { get; }

    /// <exception cref="InvalidOperationException">The application has no instance with this name.</exception>
    public static NamedInstance Of(IServiceProvider application, string name)
        => application.GetKeyedService<NamedInstance>(name) ?? throw new InvalidOperationException(
            $"TaskRecovery has no instance named '{name}'. Add it with services.AddTaskRecovery(\"{name}\").");

    public void Dispose()
    {
        if (_services.IsValueCreated)
        {
            _services.Value.Dispose();
        }
    }

    public ValueTask DisposeAsync() => _services.IsValueCreated ? _services.Value.DisposeAsync() : default;

    // An object that is passed to a container is not disposed with it.
    private ServiceProvider Build()
    {
        var services = new ServiceCollection();
        foreach (var service in _registration.Services)
        {
            ((IServiceCollection)services).Add(service);
        }

        services.AddSingleton(new InstanceName(_registration.Name));
        services.AddSingleton(new ApplicationServices(_application));
        services.Replace(ServiceDescriptor.Singleton(Logs));
        services.AddSingleton<ILoggerFactory>(new NamedLoggerFactory(
            _application.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance, _registration.Name));
        services.TryAdd(ServiceDescriptor.Singleton(typeof(ILogger<>), typeof(Logger<>)));
        Share<TimeProvider>();
        Share<IMeterFactory>();
        Share<IConfiguration>();
        Share<IHostEnvironment>();
        Share<IHostApplicationLifetime>();
        return services.BuildServiceProvider();

        void Share<T>()
            where T : class
        {
            if (_application.GetService<T>() is { } shared)
            {
                services.Replace(ServiceDescriptor.Singleton(shared));
            }
        }
    }
}
