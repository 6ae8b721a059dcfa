using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Monitoring;
using TaskRecovery.Operations;
using TaskRecovery.Recovery;
using TaskRecovery.Startup;

namespace TaskRecovery.Nodes;

/// <summary>Registers the node, recovery and diagnostics.</summary>
internal static class NodeServiceCollectionExtensions
{
    /// <summary>Adds the services; safe to call twice. Call it before hosted services that run entries are added: the host stops its
    /// services in reverse order.</summary>
    public static IServiceCollection AddNodes(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Metrics>();
        services.TryAddSingleton<Tracing>();
        services.TryAddSingleton<StartupGate>();
        services.TryAddSingleton<OutageReporter>();
        services.TryAddSingleton<IFailingLoops>(provider => provider.GetRequiredService<OutageReporter>());
        services.TryAddSingleton<StoreLoopServices>();
        services.TryAddSingleton<NodeSignals>();
        services.TryAddSingleton<NodeService>();
        services.TryAddSingleton<ICurrentNode>(provider => provider.GetRequiredService<NodeService>());
        services.TryAddSingleton<TaskRecoverer>();
        services.TryAddSingleton<StartupRecovery>();
        services.TryAddSingleton<RecoverySweeper>();
        services.TryAddSingleton<ClaimReconciler>();
        services.TryAddSingleton<RetentionLoop>();
        services.TryAddSingleton<QueueDepths>();
        services.TryAddSingleton<QueueDepthSampler>();
        services.TryAddSingleton<StatisticsLoop>();

        Host<NodeService>();
        Host<StartupRecovery>();
        Host<RecoverySweeper>();
        Host<ClaimReconciler>();
        Host<RetentionLoop>();
        Host<QueueDepthSampler>();
        Host<StatisticsLoop>();
        return services;

        void Host<T>()
            where T : class, IHostedService
            => services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, T>(provider => provider.GetRequiredService<T>()));
    }
}
