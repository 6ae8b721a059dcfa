using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Dashboard.Api;
using TaskRecovery.Dashboard.Hosting;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the dashboard.</summary>
public static class DashboardEndpointRouteBuilderExtensions
{
    /// <summary>Maps the dashboard. It answers with 403 until a policy says who may see it: call <c>RequireAuthorization</c> on the result,
    /// or set a fallback policy. In the Development environment, a browser on this machine may see it without a policy.</summary>
    /// <param name="endpoints">The application's endpoints.</param>
    /// <param name="pattern">The path, for example <c>/jobs</c>.</param>
    /// <param name="instance">The name of an instance, as in <c>AddTaskRecovery("reports")</c>; <see langword="null"/> for the one without
    /// a name.</param>
    /// <exception cref="InvalidOperationException">The dashboard was not added with <c>AddTaskRecoveryDashboard</c>.</exception>
    public static IEndpointConventionBuilder MapTaskRecovery(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern = "/jobs", string? instance = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        var group = endpoints.MapGroup(pattern);
        Get<DashboardEndpoints>(endpoints, instance).Map(group);
        return group;
    }

    /// <summary>Maps the JSON API of the dashboard: the same questions and actions, with the same three rights. Its contract is the file
    /// <c>openapi.json</c> in the documentation.</summary>
    /// <param name="endpoints">The application's endpoints.</param>
    /// <param name="pattern">The path, for example <c>/jobs/api</c>.</param>
    /// <param name="instance">The name of an instance; <see langword="null"/> for the one without a name.</param>
    /// <exception cref="InvalidOperationException">The dashboard was not added with <c>AddTaskRecoveryDashboard</c>.</exception>
    public static IEndpointConventionBuilder MapTaskRecoveryApi(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern = "/jobs/api", string? instance = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        var group = endpoints.MapGroup(pattern);
        Get<ApiEndpoints>(endpoints, instance).Map(group);
        return group;
    }

    private static T Get<T>(IEndpointRouteBuilder endpoints, string? instance)
        where T : class
    {
        var services = instance is null
            ? endpoints.ServiceProvider
            : endpoints.ServiceProvider.GetKeyedService<InstanceDashboard>(instance)?.Services;
        return services?.GetService<T>()
            ?? throw new InvalidOperationException(
                $"The dashboard{(instance is null ? "" : $" of the instance '{instance}'")} is mapped but not added. Call "
                + $"services.AddTaskRecoveryDashboard({(instance is null ? "" : $"\"{instance}\"")}) before the application is built.");
    }
}
