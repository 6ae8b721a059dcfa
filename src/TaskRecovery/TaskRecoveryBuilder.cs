using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using TaskRecovery.Hosting;
using TaskRecovery.Instances;

namespace TaskRecovery;

/// <summary>The builder returned by <c>AddTaskRecovery</c>. Stores, queues, workers and task handlers are added to it.</summary>
public sealed class TaskRecoveryBuilder
{
    /// <summary>Creates a builder.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="instance">The registration of a named instance; <see langword="null"/> for the one without a name.</param>
    internal TaskRecoveryBuilder(IServiceCollection services, InstanceRegistration? instance = null)
    {
        Services = services;
        InstanceServices = instance?.Services ?? services;
        Name = instance?.Name;
    }

    /// <summary>The name of this instance of TaskRecovery; <see langword="null"/> for the one without a name.</summary>
    public string? Name { get; }

    /// <summary>The application's services. Workers, and what they need, are registered here.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The services of this instance of TaskRecovery, where a store registers itself: those of the application, or, for a named
    /// instance, its own.</summary>
    [Experimental("TASKRECOVERY001")]
    public IServiceCollection InstanceServices { get; }

    /// <summary>Returns the application's services, for a store that needs one of them.</summary>
    /// <param name="instance">The services of an instance of TaskRecovery.</param>
    [Experimental("TASKRECOVERY001")]
    public static IServiceProvider ApplicationOf(IServiceProvider instance)
        => instance.GetRequiredService<ApplicationServices>().Provider;

    /// <summary>Allows the next <c>Use...</c> to select another store or another database than the one that was selected. For a test that
    /// builds on the services of an application. Options that were set for the first store remain, except those that name a server, such
    /// as <c>PostgreSqlOptions.MonitorConnectionString</c>, wherever they were set: set them in the call that selects the new
    /// store.</summary>
    public TaskRecoveryBuilder ReplaceStore()
    {
        if (InstanceServices.Registered<StoreName>().Any())
        {
            InstanceServices.RemoveAll<StoreName>();
            InstanceServices.TryAddSingleton(new StoreReplacement());
        }

        return this;
    }

    /// <summary>Records which store this instance uses. Called by every store's extension method; calling it again with the same arguments
    /// has no effect.</summary>
    /// <param name="name">The extension method that selects the store, such as <c>UsePostgreSql</c>.</param>
    /// <param name="database">What tells the database from others, such as the connection string; <see langword="null"/> if the container
    /// decides. It is compared and never shown.</param>
    /// <returns>Whether this store replaces one that was selected before (<see cref="ReplaceStore"/>). Options that name a server of that
    /// one must then be reset.</returns>
    /// <exception cref="InvalidOperationException">Another store or another database has already been selected.</exception>
    [Experimental("TASKRECOVERY001")]
    public bool SetStore(string name, string? database = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var chosen = InstanceServices.Registered<StoreName>().FirstOrDefault();
        if (chosen is null)
        {
            var isReplacement = InstanceServices.Registered<StoreReplacement>().Any();
            InstanceServices.RemoveAll<StoreReplacement>();
            InstanceServices.AddSingleton(new StoreName(name, database));
            return isReplacement;
        }

        if (chosen.Name != name)
        {
            throw Refused($"Two stores are set up: {chosen.Name} was called, and now {name}.");
        }

        if (chosen.Database != database)
        {
            throw Refused($"Two databases are set up: {name} was called before, for another one.");
        }

        return false;

        static InvalidOperationException Refused(string what)
            => new($"{what} One instance of TaskRecovery has one store: remove one of the calls, or give one an instance of its own, such "
                + "as services.AddTaskRecovery(\"billing\"). A test that replaces the store calls ReplaceStore() first.");
    }
}
