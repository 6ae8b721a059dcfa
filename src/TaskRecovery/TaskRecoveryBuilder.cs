using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Hosting;

namespace TaskRecovery;

/// <summary>The builder returned by <c>AddTaskRecovery</c>. Stores, queues, workers and task handlers are added to it.</summary>
public sealed class TaskRecoveryBuilder
{
    /// <summary>Creates a builder.</summary>
    /// <param name="services">The application's services.</param>
    internal TaskRecoveryBuilder(IServiceCollection services) => Services = services;

    /// <summary>Records which store the application uses. Called by every store's extension method; calling it again with the same name has
    /// no effect.</summary>
    /// <param name="name">The extension method that selects the store, such as <c>UsePostgreSql</c>.</param>
    /// <exception cref="InvalidOperationException">Another store has already been selected.</exception>
    [Experimental("TASKRECOVERY001")]
    public void SetStore(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var chosen = Services.Select(static service => service.ServiceType == typeof(StoreName)
            ? service.ImplementationInstance
            : null).OfType<StoreName>().FirstOrDefault();
        if (chosen is null)
        {
            Services.AddSingleton(new StoreName(name));
        }
        else if (chosen.Name != name)
        {
            throw new InvalidOperationException(
                $"Two stores are set up: {chosen.Name} was called, and now {name}. The queue is kept in one store: "
                + "remove one of the calls.");
        }
    }

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }
}
