using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Hosting;

namespace TaskRecovery;

/// <summary>What <c>AddTaskRecovery</c> returns: stores, queues, workers and job handlers are added to it.</summary>
public sealed class TaskRecoveryBuilder
{
    /// <summary>Creates one.</summary>
    /// <param name="services">The application's services.</param>
    internal TaskRecoveryBuilder(IServiceCollection services) => Services = services;

    /// <summary>Says which store is used. Every store calls it; the same name may come again.</summary>
    /// <param name="name">What the application calls to use the store, such as <c>UsePostgreSql</c>.</param>
    /// <exception cref="InvalidOperationException">Another store is used already.</exception>
    [Experimental("TASKRECOVERY001")]
    public void SetStore(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var chosen = Services.Select(static service => service.ServiceType == typeof(StoreName) ? service.ImplementationInstance : null).OfType<StoreName>().FirstOrDefault();
        if (chosen is null)
        {
            Services.AddSingleton(new StoreName(name));
        }
        else if (chosen.Name != name)
        {
            throw new InvalidOperationException($"Two stores are set up: {chosen.Name} was called, and now {name}. The queue is kept in one store: remove one of the calls.");
        }
    }

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }
}
