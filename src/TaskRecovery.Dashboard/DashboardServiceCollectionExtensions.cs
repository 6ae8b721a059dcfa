using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
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
        services.AddShared(static provider => new PolicyCheck(
            provider.GetRequiredService<IOptions<DashboardOptions>>().Value, provider.GetRequiredService<IServiceScopeFactory>()));
        services.AddSingleton(new DashboardInstance(null));
        services.AddParts();
        return services;
    }

    /// <summary>Adds the dashboard of a named instance, with options of its own. Map it with <c>MapTaskRecovery</c> and the same name. The
    /// application also needs <c>AddTaskRecovery</c> with this name. Safe to call twice.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="instance">The name of the instance, as in <c>AddTaskRecovery("reports")</c>.</param>
    /// <param name="configure">Sets the options of this dashboard. Those of another one do not hold for it.</param>
    public static IServiceCollection AddTaskRecoveryDashboard(
        this IServiceCollection services, string instance, Action<DashboardOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(instance);
        if (configure is not null)
        {
            services.Configure(instance, configure);
        }

        if (services.Any(service => service.ServiceType == typeof(InstanceDashboard) && instance.Equals(service.ServiceKey)))
        {
            return services;
        }

        services.AddOptions<DashboardOptions>();
        services.AddShared(provider => new PolicyCheck(
            provider.GetRequiredService<IOptionsMonitor<DashboardOptions>>().Get(instance),
            provider.GetRequiredService<IServiceScopeFactory>()));
        var parts = new ServiceCollection();
        parts.AddParts();
        services.AddKeyedSingleton(instance, (provider, _) => new InstanceDashboard(instance, parts, provider));
        return services;
    }

    private static void AddShared(this IServiceCollection services, Func<IServiceProvider, PolicyCheck> createCheck)
    {
        services.AddAuthorization();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IHostedService>(createCheck);
    }

    private static void AddParts(this IServiceCollection services)
    {
        services.AddSingleton<Assets>();
        services.AddSingleton<SharedReads>();
        services.AddSingleton<SearchLimit>();
        services.AddSingleton<ReadTurns>();
        services.AddSingleton<Reads>();
        services.AddSingleton<Finder>();
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
        services.AddSingleton<IPage, OperationDetailsPage>();
        services.AddSingleton<IPage, UndoPage>();
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
                provider.GetRequiredService<Reads>(), provider.GetRequiredService<TimeProvider>()));
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
            what, isPause, provider.GetRequiredService<IQueueOperator>(), provider.GetRequiredService<Reads>());
}
