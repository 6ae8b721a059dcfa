using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Diagnostics;
using TaskRecovery.Recovery;

namespace TaskRecovery.Nodes;

/// <summary>Registers the node, recovery and diagnostics.</summary>
internal static class NodeServiceCollectionExtensions
{
    /// <summary>Safe to call twice. Call it before hosted services that work entries are added: what is added first stops last.</summary>
    public static IServiceCollection AddNodes(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Metrics>();
        services.TryAddSingleton<Tracing>();
        services.TryAddSingleton<StartupGate>();
        services.TryAddSingleton<NodeSignals>();
        services.TryAddSingleton<Node>();
        services.TryAddSingleton<INodeLives>(provider => provider.GetRequiredService<Node>());
        services.TryAddSingleton<TaskRecoverer>();
        services.TryAddSingleton<StartupRecovery>();
        services.TryAddSingleton<RecoverySweeper>();
        services.TryAddSingleton<ClaimReconciler>();
        services.TryAddSingleton<RetentionLoop>();
        services.TryAddSingleton<QueueDepths>();
        services.TryAddSingleton<QueueMeasure>();

        Host<Node>();
        Host<StartupRecovery>();
        Host<RecoverySweeper>();
        Host<ClaimReconciler>();
        Host<RetentionLoop>();
        Host<QueueMeasure>();
        return services;

        void Host<T>()
            where T : class, IHostedService
            => services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, T>(provider => provider.GetRequiredService<T>()));
    }
}
