using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery;

/// <summary>What <c>AddTaskRecovery</c> returns: stores, queues, workers and job handlers are added to it.</summary>
public sealed class TaskRecoveryBuilder
{
    /// <summary>Creates one.</summary>
    /// <param name="services">The application's services.</param>
    internal TaskRecoveryBuilder(IServiceCollection services) => Services = services;

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }
}
