using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using TaskRecovery;
using TaskRecovery.Dashboard.Actions;
using TaskRecovery.Dashboard.Api;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Security;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the dashboard's services.</summary>
public static class DashboardServiceCollectionExtensions
{
    /// <summary>Adds the dashboard. Map it with <c>MapTaskRecovery</c>. The application also needs <c>AddTaskRecovery</c> with a store, but
    /// no worker. Safe to call twice.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets options.</param>
    public static IServiceCollection AddTaskRecoveryDashboard(this IServiceCollection services, Action<DashboardOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (configure is not null)
        {
            services.Configure(configure);
        }

        if (services.Any(static service => service.ServiceType == typeof(DashboardEndpoints)))
        {
            return services;
        }

        services.AddOptions<DashboardOptions>();
        services.AddAuthorization();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IHostedService, PolicyCheck>();
        services.AddSingleton<Assets>();
        services.AddSingleton<SharedReads>();
        services.AddSingleton<SearchLimit>();
        services.AddSingleton<ReadTurns>();
        services.AddSingleton<Reads>();
        services.AddSingleton<DataView>();
        services.AddSingleton<EntryData>();
        services.AddSingleton<EntryDownload>();
        services.AddSingleton<TraceLink>();
        services.AddSingleton<EnvironmentBadge>();
        services.AddSingleton<Layout>();
        services.AddSingleton<Refusals>();
        services.AddSingleton<Acting>();
        services.AddSingleton<Gatekeeper>();
        services.AddSingleton<DashboardEndpoints>();
        services.AddSingleton<ApiData>();
        services.AddSingleton<ApiEndpoints>();
        services.AddPages();
        services.AddActions();
        return services;
    }

    private static void AddPages(this IServiceCollection services)
    {
        services.AddSingleton<IPage, OverviewPage>();
        services.AddSingleton<IPage, QueuesPage>();
        services.AddSingleton<IPage, EntriesPage>();
        services.AddSingleton<IPage, EntryLifePage>();
        services.AddSingleton<IPage, KindsPage>();
        services.AddSingleton<IPage, JobsPage>();
        services.AddSingleton<IPage, JobDetailsPage>();
        services.AddSingleton<IPage, TasksPage>();
        services.AddSingleton<IPage, NodesPage>();
        services.AddSingleton<IPage, EventsPage>();
        services.AddSingleton<IPage, OperationsPage>();
        services.AddSingleton<IPage, OperationPage>();
        services.AddSingleton<IPage, SearchPage>();
        services.AddSingleton<IPage, AboutPage>();
    }

    private static void AddActions(this IServiceCollection services)
    {
        foreach (var action in (ReadOnlySpan<BulkAction>)[BulkAction.Retry, BulkAction.Cancel])
        {
            var what = action;
            services.AddSingleton<IAction>(provider => new ChangeEntry(
                what, provider.GetRequiredService<IQueueMonitor>(), provider.GetRequiredService<IQueueOperator>(),
                provider.GetRequiredService<Reads>()));
        }

        foreach (var target in (ReadOnlySpan<string>)["queues", "kinds", "jobs"])
        {
            var what = target;
            services.AddSingleton<IAction>(provider => Pause(provider, what, isPause: true));
            services.AddSingleton<IAction>(provider => Pause(provider, what, isPause: false));
        }

        foreach (var verb in (ReadOnlySpan<string>)["start", "stop", "undo"])
        {
            var what = verb;
            services.AddSingleton<IAction>(provider => new ChangeOperation(
                what, provider.GetRequiredService<IQueueOperator>(), provider.GetRequiredService<Reads>()));
        }

        services.AddSingleton<IAction, PrepareOperation>();
        services.AddSingleton<IAction>(static provider => Change(provider, isDelete: false));
        services.AddSingleton<IAction>(static provider => Change(provider, isDelete: true));
    }

    private static ChangeJob Change(IServiceProvider provider, bool isDelete)
        => new(isDelete, provider.GetRequiredService<IJobService>(), provider.GetRequiredService<IQueueOperator>());

    private static ChangePause Pause(IServiceProvider provider, string what, bool isPause)
        => new(
            what, isPause, provider.GetRequiredService<IQueueOperator>(), provider.GetRequiredService<Reads>(),
            provider.GetRequiredService<TimeProvider>());
}
